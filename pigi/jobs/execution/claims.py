"""Claiming: one conditional UPDATE by the database's clock. Whoever's UPDATE hits has the job."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.jobs.effects import MARK_UNKNOWN
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model import transitions
from pigi.jobs.model.claim import Claim
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import Notification, release
from pigi.store.engines import is_sqlite

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Executable

    from pigi.domain.job_state import JobState
    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlDatabase

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 4.0


def claim(control: ControlDatabase, kind: Kind, job_id: str, token: str | None = None) -> Claim | None:
    """Take the job if it waits, is due, is not cancelled and not fenced; None otherwise.

    Asking again with the same ``token`` is safe: a claim whose answer was lost on the way is found again.
    """
    parameters = {"job_id": job_id, **_claiming(kind, token)}
    with control.autocommit() as connection:
        row = connection.execute(transitions.CLAIM, parameters).first()
        if row is None and token is not None:
            row = connection.execute(_HELD, {"job_id": job_id, "token": token}).first()
    return Claim(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for it


def claim_next(connection: Connection, kind: Kind) -> Claim | None:
    """Take the job of ``kind`` whose bell was rung first, if one waits; its own bell will find it taken."""
    statement = _NEXT[is_sqlite(connection)]
    row = connection.execute(statement, {"of_kind": kind.name, **_claiming(kind)}).first()
    return Claim(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for it


_NEXT = {sqlite: transitions.claim_next(skip_locked=not sqlite) for sqlite in (True, False)}


def _claiming(kind: Kind, token: str | None = None) -> dict[str, object]:
    return {
        "token": token or uuid.uuid4().hex,
        "lease": LEASE_SECONDS,
        "retry_window": kind.retry_window.total_seconds(),
    }


_HELD = select(*transitions.HELD).where(transitions.MINE, transitions.IS_RUNNING)


@dataclass(frozen=True)
class Unclaimed:
    """Why a job could not be claimed: where it stands, and what is owed."""

    state: str
    organisation_id: str | None
    subject_id: str | None
    cancelled: bool
    fenced: bool
    cleanup_due: bool


_WHY = select(
    JOB.c.state,
    JOB.c.organisation_id,
    JOB.c.subject_id,
    JOB.c.cancel_requested_at.is_not(None),
    ~transitions.UNFENCED,
    JOB.c.cleanup_at <= transitions.NOW,
).where(transitions.ID)


def why_unclaimed(connection: Connection, job_id: str) -> Unclaimed | None:
    """What stood in the way of a claim; None if there is no such job."""
    row = connection.execute(_WHY, {"job_id": job_id}).first()
    return Unclaimed(row[0], row[1], row[2], bool(row[3]), bool(row[4]), bool(row[5])) if row else None


def extend(connection: Connection, held: Claim) -> tuple[bool, bool]:
    """Send a heartbeat. Returns whether the lease still holds, and whether a cancel was asked."""
    row = connection.execute(transitions.EXTEND, {**held.mine, "lease": LEASE_SECONDS}).first()
    return (False, False) if row is None else (True, row[0] is not None)


def finish(
    control: ControlDatabase, held: Claim, state: JobState, reason: str | None, cleanup_at: datetime | None
) -> list[Notification]:
    """End the job, if it is still ours; returns the bells to ring for the lane's next.

    ``cleanup_at`` is when what the job was about is (next) to be put away; None when nothing is owed.
    """
    return finish_and_claim(control, held, Ending(state, reason, cleanup_at), None)[0]


@dataclass(frozen=True)
class Ending:
    """How a job ends; see `finish`."""

    state: JobState
    reason: str | None
    cleanup_at: datetime | None


def finish_and_claim(
    control: ControlDatabase, held: Claim, ending: Ending, following: Kind | None
) -> tuple[list[Notification], Claim | None]:
    """As `finish`, and in the same transaction take the next job of kind ``following``: one commit, not two."""
    parameters = {**held.mine, "reason": ending.reason, "cleanup_at": ending.cleanup_at}
    with control.transaction() as connection:
        if connection.execute(transitions.FINISH[ending.state], parameters).rowcount != 1:
            return [], None
        if CATALOGUE[held.kind].effects:
            connection.execute(MARK_UNKNOWN, {"of_job": held.job_id})
        notifications = release(connection, held.partition, held.queue)
        taken = None if following is None else claim_next(connection, following)
    return [
        notification for notification in notifications if taken is None or notification.job_id != taken.job_id
    ], taken


def retry(control: ControlDatabase, held: Claim, reason: str, delay: timedelta) -> list[Notification]:
    """Have the job tried again after ``delay``."""
    return _let_go(control, held, transitions.RETRY, {"reason": reason, "delay": delay.total_seconds()})


def hand_back(control: ControlDatabase, held: Claim) -> list[Notification]:
    """Return the job for another worker to take at once; counts neither as failure nor as loss."""
    return _let_go(control, held, transitions.HAND_BACK, {})


def _let_go(
    control: ControlDatabase, held: Claim, statement: Executable, parameters: dict[str, object]
) -> list[Notification]:
    with control.transaction() as connection:
        if connection.execute(statement, {**held.mine, **parameters}).rowcount != 1:
            return []
        return release(connection, held.partition, held.queue)
