"""Claims: taking a job, extending its lease, and giving it up at its end, for a retry, or to another worker.

Claiming is one conditional UPDATE by the database's clock: whoever's UPDATE hits has the job. A claim carries a token,
and everything written under it says so: after another claim it hits nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from pigi.clock import now
from pigi.jobs.effects import MARK_ALL_UNKNOWN, MARK_UNKNOWN
from pigi.jobs.execution.timeouts import LEASE_SECONDS
from pigi.jobs.kinds import CATALOGUE, kind_of
from pigi.jobs.model import transitions
from pigi.jobs.model.claim import Claim
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import release
from pigi.store.engines import is_sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Executable, Row

    from pigi.domain.job_state import JobState
    from pigi.jobs.kind import Kind
    from pigi.jobs.queueing.partitions import Notification
    from pigi.store.sessions import ControlDatabase


def new_token() -> str:
    """A token for a claim. Made outside of the claim, it finds the claim again whose answer was lost on the way."""
    return uuid.uuid4().hex


def claim(control: ControlDatabase, kind: Kind, job_id: str, token: str | None = None) -> Claim | None:
    """Take the job if it waits, is due, is not cancelled and not fenced; None otherwise.

    Safe to repeat with the same ``token``.
    """
    parameters = {"job_id": job_id, **_parameters(kind, token or new_token())}
    with control.autocommit() as connection:
        row = connection.execute(transitions.CLAIM, parameters).first()
        return _claim_in(row) or (None if token is None else claimed_with(connection, token))


def claim_any(control: ControlDatabase, kind: Kind, token: str, *, again: bool = False) -> Claim | None:
    """Take the job of ``kind`` that was published first, if one waits; its own notification will find it taken.

    To be repeated with ``again``, and the same ``token``.
    """
    with control.transaction() as connection:
        found = claimed_with(connection, token) if again else None
        return found or _claim_next(connection, kind, token)


def _claim_next(connection: Connection, kind: Kind, token: str) -> Claim | None:
    parameters = {"of_kind": kind.name, **_parameters(kind, token)}
    return _claim_in(connection.execute(_NEXT[is_sqlite(connection)], parameters).first())


def claimed_with(connection: Connection, token: str) -> Claim | None:
    """The claim that was made with this token, if it still holds."""
    return _claim_in(connection.execute(_CLAIMED_WITH, {"token": token}).first())


_NEXT = {sqlite: transitions.claim_next(skip_locked=not sqlite) for sqlite in (True, False)}
_CLAIMED_WITH = select(*transitions.CLAIM_COLUMNS).where(
    # That there is a lease follows from the state; said again, it lets SQLite look among the running jobs alone.
    JOB.c.lease_token == bindparam("token"),
    transitions.IS_RUNNING,
    JOB.c.lease_until.is_not(None),
)


def _parameters(kind: Kind, token: str) -> dict[str, object]:
    return {"token": token, "lease": LEASE_SECONDS, "retry_window": kind.retry_window.total_seconds()}


def _claim_in(row: Row[tuple[object, ...]] | None) -> Claim | None:
    return Claim(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for it


@dataclass(frozen=True)
class Unclaimed:
    """Why a job could not be claimed: where it stands, and what is pending."""

    state: str
    cancelled: bool
    fenced: bool
    cleanup_due: bool


_WHY = select(
    JOB.c.state,
    JOB.c.cancel_requested_at.is_not(None),
    ~transitions.UNFENCED,
    JOB.c.cleanup_at <= transitions.NOW,
).where(transitions.ID)


def why_unclaimed(connection: Connection, job_id: str) -> Unclaimed | None:
    """What stood in the way of a claim; None if there is no such job."""
    row = connection.execute(_WHY, {"job_id": job_id}).first()
    return Unclaimed(row[0], bool(row[1]), bool(row[2]), bool(row[3])) if row else None


def extend(control: ControlDatabase, held: Claim) -> tuple[bool, bool]:
    """Extend the lease, even one that has lapsed. Returns whether it holds, and whether the job is to be cancelled."""
    return _lease_state(control, transitions.EXTEND, {**held.mine, "lease": LEASE_SECONDS})


def check_lease(control: ControlDatabase, held: Claim) -> tuple[bool, bool]:
    """What `extend` returns, without extending."""
    return _lease_state(control, transitions.CHECK_LEASE, held.mine)


def _lease_state(
    control: ControlDatabase, statement: Executable, parameters: Mapping[str, object]
) -> tuple[bool, bool]:
    with control.autocommit() as connection:
        row = connection.execute(statement, parameters).first()
    return (False, False) if row is None else (True, row[0] is not None)


@dataclass(frozen=True)
class Ending:
    """How a job ends. ``cleanup_at`` is when its cleanup is (next) due; None when nothing is pending."""

    state: JobState
    reason: str | None
    cleanup_at: datetime | None


def finish_and_claim(
    control: ControlDatabase, held: Claim, ending: Ending, following: Kind | None, token: str
) -> tuple[list[Notification], Claim | None]:
    """End the job, if it is still ours, and with it take the next one of kind ``following``: one commit, not two.

    Returns the notifications to send for the next of its partition, and the claim.

    Safe to repeat with the same ``token``: if the first commit did happen, what it claimed is found again.
    """
    parameters = {**held.mine, "reason": ending.reason, "cleanup_at": ending.cleanup_at}
    with control.transaction() as connection:
        if connection.execute(transitions.FINISH[ending.state], parameters).rowcount != 1:
            return [], None if following is None else claimed_with(connection, token)
        if CATALOGUE[held.kind].effects:
            connection.execute(MARK_UNKNOWN, {"of_job": held.job_id})
        freed = release(connection, held.partition, held.queue)
        taken = None if following is None else _claim_next(connection, following, token)
    return [one for one in freed if taken is None or one.job_id != taken.job_id], taken


def retry(control: ControlDatabase, held: Claim, reason: str, delay: timedelta) -> list[Notification]:
    """Have the job tried again after ``delay``; one that was cancelled meanwhile ends."""
    return _give_up(control, held, transitions.RETRY, {"reason": reason, "delay": delay.total_seconds()})


def hand_back(control: ControlDatabase, held: Claim) -> list[Notification]:
    """Return the job for another worker to take at once; one that was cancelled meanwhile ends.

    That counts neither as a failure nor as a loss.
    """
    return _give_up(control, held, transitions.HAND_BACK, {})


def hand_back_all(control: ControlDatabase, tokens: Sequence[str]) -> list[Notification]:
    """`hand_back` for whatever is still claimed with these tokens."""
    with control.autocommit() as connection:
        found = [claimed_with(connection, token) for token in tokens]
    return [one for held in found if held is not None for one in hand_back(control, held)]


def _give_up(
    control: ControlDatabase, held: Claim, statement: Executable, parameters: dict[str, object]
) -> list[Notification]:
    with control.transaction() as connection:
        if connection.execute(statement, {**held.mine, **parameters}).rowcount != 1:
            return []
        cancel_flagged(connection, kind_of(held.kind), held.job_id)
        return release(connection, held.partition, held.queue)


def cancel_flagged(connection: Connection, kind: Kind, job_id: str) -> None:
    """End a job that was cancelled while it ran and has just gone back to the waiting ones.

    In the transaction that moved it there: else it would wait out its backoff, and hold what it is about for so long.
    """
    _cancel(connection, kind, job_id, "cancelled", transitions.CANCEL_FLAGGED)


def cancel(connection: Connection, kind: Kind, job_id: str, reason: str = "cancelled") -> list[Notification]:
    """End a job that waits, or have one that runs stop at its next checkpoint.

    Returns the notifications to send after the commit. Its cleanup is due from then on.
    """
    if not _cancel(connection, kind, job_id, reason, transitions.CANCEL_WAITING):
        connection.execute(transitions.FLAG_CANCEL, {"job_id": job_id})
        return []
    row = connection.execute(select(JOB.c.partition, JOB.c.queue).where(JOB.c.id == job_id)).one()
    return release(connection, row.partition, row.queue)


def end_all(connection: Connection, reason: str) -> int:
    """End every job that has not ended, while no worker runs; returns how many. Their cleanups are due from then on."""
    cleaning = [name for name, kind in CATALOGUE.items() if kind.cleanup]
    ended = int(connection.execute(transitions.end_all(reason, cleaning)).rowcount)
    connection.execute(MARK_ALL_UNKNOWN)
    return ended


def _cancel(connection: Connection, kind: Kind, job_id: str, reason: str, statement: Executable) -> bool:
    parameters = {"job_id": job_id, "reason": reason, "cleanup_at": now() if kind.cleanup else None}
    ended = bool(connection.execute(statement, parameters).rowcount)
    if ended:
        connection.execute(MARK_UNKNOWN, {"of_job": job_id})
    return ended
