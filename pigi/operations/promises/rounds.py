"""The canary's rounds: what takes jobs and time is begun by one job and judged by a later one, so nobody waits.

Heartbeats' notes hold the ids of what the last two rounds began: jobs and deletions, which lead to nobody. What an
earlier round left, rows and files, goes when the next begins, so that what is there of rounds never grows.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from pigi.clock import now
from pigi.domain.job_state import ENDED
from pigi.jobs.heartbeats import last_notes, record
from pigi.jobs.kinds import EXPORT_ACCESS, EXPORT_CONFIGURATION
from pigi.jobs.model.claim import JobInterrupt
from pigi.jobs.model.transitions import JOB
from pigi.logs import places_of
from pigi.operations.exports import add_canary_export, forget_export
from pigi.operations.generations import GENERATION as DRAFTS
from pigi.operations.generations import request_generation
from pigi.operations.promises.canary import resident
from pigi.operations.promises.endings import DELETION, begin_deletions, forget_deletions, push_deletions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext

logger = logging.getLogger(__name__)
COUNTS = timedelta(minutes=15)
"""How long after an act what is found about it counts: then a fault, its mending and silence show in that time."""
STUCK = timedelta(hours=1)
"""What has not come to an end after this is left to itself, and the next round begins."""
GENERATION, MARKER = "canary generation", "canary marker"
ACCESS, CONFIGURATION = "canary access export", "canary export"
ORGANISATION_DELETION, ACCOUNT_DELETION = "canary deletion", "canary account deletion"
BEFORE = " before"
"""Behind the name of a note: what the round before began."""


class NothingYetError(Exception):
    """What was begun has not ended, or nothing was begun: there is nothing to judge."""


def begin_round(context: JobContext, application: Application) -> None:
    """Begin what has ended once more, as a job, and remove what is left of the round before the last."""
    begin_acts(application, context.checkpoint)


def begin_acts(application: Application, checkpoint: Callable[[], None]) -> None:
    """Each act by itself: one that cannot be begun keeps no other waiting, and what it is to show goes stale."""
    for name, begin in _ACTS.items():
        checkpoint()
        try:
            if _may_begin(application, name):
                begin(application)
            elif name == ACCOUNT_DELETION:
                push_deletions(application)
        except JobInterrupt:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the other acts are begun
            logger.warning("%s: not begun (%s at %s)", name, type(error).__name__, places_of(error))


def _may_begin(application: Application, name: str) -> bool:
    """Whether the act that was begun last has ended, or is stuck."""
    row = _newest(application, name, [name])
    return row is None or _has_ended(row) or _began_at(row) < now() - STUCK


def ended(application: Application, name: str) -> Any:
    """The row of the newest act of that name that has ended: of a job, or of a deletion. Raises NothingYetError."""
    row = _newest(application, name, [name, name + BEFORE], only_ended=True)
    if row is None:
        raise NothingYetError
    return row


def _newest(application: Application, name: str, notes: list[str], *, only_ended: bool = False) -> Any:
    table = DELETION if name in {ORGANISATION_DELETION, ACCOUNT_DELETION} else JOB
    with application.control.autocommit() as connection:
        kept = last_notes(connection)
        ids = [kept[note] for note in notes if kept.get(note)]
        # Identifiers sort by when they were made.
        rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id.desc())).all()
    return next((row for row in rows if not only_ended or _has_ended(row)), None)


def _has_ended(row: Any) -> bool:
    return row.done_at is not None if hasattr(row, "done_at") else row.state in ENDED


def _began_at(row: Any) -> Any:
    # A deletion of the canary's is requested as if its grace were over already.
    return row.restorable_until if hasattr(row, "done_at") else row.created_at


def marker(application: Application) -> str:
    """The phrase in the purpose of the draft that `ended` gives; raises NothingYetError."""
    job = ended(application, GENERATION)
    with application.control.autocommit() as connection:
        notes = last_notes(connection)
    seed = notes.get(MARKER if notes.get(GENERATION) == job.id else MARKER + BEFORE)
    if seed is None:
        raise NothingYetError
    return _phrase(application, seed)


def _phrase(application: Application, seed: str) -> str:
    return f"canary-{application.keyring.digest(MARKER, seed.encode())[:32]}"


def _begin_draft(application: Application) -> None:
    """A draft whose purpose holds a phrase that only the keyring can tell, so no row need hold it."""
    canary, seed = resident(application), secrets.token_hex(16)
    purpose = f"Says hello to whoever asks. {_phrase(application, seed)}"
    job = request_generation(application, canary.caller, "agent", "greeter", purpose)
    _note(application, {GENERATION: job.id, MARKER: seed}, _forget_draft)


def _begin_export(application: Application, name: str) -> None:
    canary = resident(application)
    kind, account = (EXPORT_ACCESS, canary.account_id) if name == ACCESS else (EXPORT_CONFIGURATION, None)
    job = add_canary_export(application, kind, canary.caller, account)
    _note(application, {name: job.id}, forget_export)


def _begin_deletions(application: Application) -> None:
    account, organisation = begin_deletions(application)
    _note(application, {ACCOUNT_DELETION: account, ORGANISATION_DELETION: organisation}, forget_deletions)


def _note(application: Application, begun: dict[str, str], forget: Callable[[Application, str], None]) -> None:
    """Keep what was begun; what was begun before stays to be judged, and what was begun before that goes."""
    with application.control.transaction() as connection:
        notes = last_notes(connection)
        for name, value in begun.items():
            record(connection, name + BEFORE, notes.get(name))
            record(connection, name, value)
    for name in begun:
        past = notes.get(name + BEFORE)
        if past and name != MARKER:
            forget(application, past)


def _forget_draft(application: Application, job_id: str) -> None:
    """Remove the draft and its job, unless its purpose is still there: that is for its cleanup, and for all to see."""
    with application.control.autocommit() as connection:
        job = connection.execute(select(JOB).where(JOB.c.id == job_id, JOB.c.state.in_(ENDED))).first()
    if job is None:
        return
    with application.tenants.session(job.organisation_id) as session:
        erased = DRAFTS.c.purpose.is_(None)
        if not session.connection().execute(delete(DRAFTS).where(DRAFTS.c.id == job.subject_id, erased)).rowcount:
            return
    with application.control.transaction() as connection:
        connection.execute(delete(JOB).where(JOB.c.id == job_id))


_ACTS: dict[str, Callable[[Application], None]] = {
    GENERATION: _begin_draft,
    ACCESS: lambda application: _begin_export(application, ACCESS),
    CONFIGURATION: lambda application: _begin_export(application, CONFIGURATION),
    # The organisation's goes first and is part of the account's.
    ACCOUNT_DELETION: _begin_deletions,
}
