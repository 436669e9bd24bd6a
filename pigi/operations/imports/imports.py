"""Imports as their organisation sees them, and what becomes of an upload: kept, discarded, cleared away."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from pigi.clock import now
from pigi.domain.job_state import ENDED, JobState
from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import changing, reading
from pigi.store.holds import is_held
from pigi.store.paging import read_stretch
from pigi.store.tenant import Import
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.cleanup import EndedJob
    from pigi.store.sessions import TenantSession

IMPORT: Any = Import.__table__
MOST_OPEN = 5
"""Imports that an organisation may have waiting to be read, accepted or discarded: uploads that lie there."""
AGAIN = timedelta(hours=1)
"""When an upload is looked at again whose period was over while it was being imported, or is held."""


class ImportState(StrEnum):
    """Where an import stands; names are permanent. docs/state-machines.md draws it."""

    READING = "reading"
    """Being read, or about to be. Left by its job, within the hour."""
    READY = "ready"
    """Its report can be read; nothing is imported. Left by whoever accepts or discards it, or after 7 days."""
    ACCEPTED = "accepted"
    """Everything is imported that the report promised. Gone after 7 days."""
    DISCARDED = "discarded"
    """Given up by a person. Gone after 7 days."""
    FAILED = "failed"
    """It could not be read; its reason says why. Gone after 7 days."""


OPEN = (ImportState.READING, ImportState.READY)


@dataclass(frozen=True, repr=False)
class ImportView:
    """An import as its organisation may see it; ``report`` is left out of lists, and None until there is one.

    ``begun`` says that a part of it was imported, ``reason`` is why it failed.
    """

    id: str
    job_id: str
    accept_job_id: str | None
    state: str
    format: str | None
    size: int
    created_at: datetime
    ended_at: datetime | None
    requested_by: str
    begun: bool
    reason: str | None = None
    report: dict[str, Any] | None = field(default=None)

    @property
    def expires_at(self) -> datetime:
        """When the upload and its report are removed."""
        return self.created_at + keep(Retention.IMPORT)


def folder_of(organisation_id: str, import_id: str) -> str:
    """Where an upload's parts lie in the files store."""
    return f"organisations/{organisation_id}/imports/{import_id}"


def read_import(application: Application, caller: Caller, import_id: str) -> ImportView:
    """The import with its report; raises Refused ``not_found``."""
    with reading(application, caller) as session:
        return view_of_import(session, _row(session, import_id))


def list_imports(
    application: Application,
    caller: Caller,
    *,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[ImportView]:
    """Imports, newest first, without reports; ``before`` and ``after`` are ids (`pigi.store.paging`)."""
    with reading(application, caller) as session:
        rows = read_stretch(session.execute, select(IMPORT), IMPORT.c.id, limit=limit, before=before, after=after)
        return [view_of_import(session, row, with_report=False) for row in rows]


def discard_import(application: Application, caller: Caller, import_id: str) -> ImportView:
    """Give an upload up and remove it now. Safe to repeat.

    Raises Refused: ``not_found``, ``import_over`` once it was accepted, ``import_under_way`` while it is imported.
    """
    with changing(application, caller) as session:
        row = locked_import(session, import_id)
        if row.state == ImportState.ACCEPTED:
            raise Refused("import_over")
        if is_under_way(application, row.accept_job_id):
            raise Refused("import_under_way")
        if row.state in OPEN:
            move(session, import_id, ImportState.DISCARDED, ended_at=now())
        view = view_of_import(session, _row(session, import_id))
    application.files.remove(folder_of(caller.organisation_id, import_id))
    return view


def count_open(session: TenantSession) -> int:
    """How many imports wait for something."""
    waiting = select(func.count()).select_from(IMPORT).where(IMPORT.c.state.in_(OPEN))
    return int(session.execute(waiting).scalar_one())


def locked_import(session: TenantSession, import_id: str) -> Any:
    """Its row, held to the end of the transaction; raises Refused ``not_found``."""
    return _row(session, import_id, locked=True)


def _row(session: TenantSession, import_id: str, *, locked: bool = False) -> Any:
    query = select(IMPORT).where(IMPORT.c.id == import_id)
    row = session.execute(query.with_for_update() if locked else query).first() if is_id(import_id) else None
    if row is None:
        raise Refused("not_found")
    return row


def move(session: TenantSession, import_id: str, state: ImportState, **values: Any) -> None:
    """Bring an import, whose row the session holds, to a state."""
    session.execute(update(IMPORT).where(IMPORT.c.id == import_id).values(state=state, **values))


def sealed_report(session: TenantSession, import_id: str, report: dict[str, Any]) -> bytes:
    """A report as its row holds it: it names what people wrote."""
    text = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
    return session.sealer.seal(text, IMPORT.name, "report", import_id)


def report_of(session: TenantSession, row: Any) -> dict[str, Any] | None:
    """The report of a row."""
    if row.report is None:
        return None
    report: dict[str, Any] = json.loads(session.sealer.open(row.report, IMPORT.name, "report", row.id))
    return report


def view_of_import(session: TenantSession, row: Any, *, with_report: bool = True) -> ImportView:
    """A row as its organisation may see it."""
    report = report_of(session, row) if with_report or row.state == ImportState.FAILED else None
    reason = (report or {}).get("reason")
    return ImportView(
        row.id,
        row.job_id,
        row.accept_job_id,
        row.state,
        row.format,
        row.size,
        row.created_at,
        row.ended_at,
        row.requested_by,
        bool(row.cursor),
        reason,
        report if with_report and reason is None else None,
    )


def is_under_way(application: Application, job_id: str | None) -> bool:
    """Whether the job that imports it has not ended."""
    if job_id is None:
        return False
    with application.control.autocommit() as connection:
        state = connection.execute(select(JOB.c.state).where(JOB.c.id == job_id)).scalar()
    return state is not None and state not in ENDED


def clean_up(application: Application, job: EndedJob) -> datetime | None:
    """After the job that reads: say that it failed if it did, and remove all of it when its period is over.

    Returns when to come again, None when nothing is left. A file that a retry by hand may still read stays. Repeatable.
    """
    organisation_id, import_id = str(job.organisation_id), str(job.subject_id)
    try:
        with application.tenants.session(organisation_id) as session:
            query = select(IMPORT).where(IMPORT.c.id == import_id).with_for_update()
            row = session.execute(query).first()
            again = None if row is None else _again(application, organisation_id, row)
            if row is not None and again is None:
                session.execute(delete(IMPORT).where(IMPORT.c.id == import_id))
            elif row is not None and row.state == ImportState.READING and job.state != JobState.SUCCEEDED:
                report = sealed_report(session, import_id, {"reason": "import_unread"})
                move(session, import_id, ImportState.FAILED, report=report, ended_at=now())
            job.check()
    except TenantMissingError:
        again = row = None
    if row is None or again is None or job.state == JobState.CANCELLED or row.state not in OPEN:
        application.files.remove(folder_of(organisation_id, import_id))
    return again


def _again(application: Application, organisation_id: str, row: Any) -> datetime | None:
    due: datetime = row.created_at + keep(Retention.IMPORT)
    if due > now():
        return due
    with application.control.autocommit() as connection:
        held = is_held(connection, organisation_id, Retention.IMPORT)
    return now() + AGAIN if held or is_under_way(application, row.accept_job_id) else None


def clean_up_accepted(application: Application, job: EndedJob) -> None:
    """After the job that imports: the upload is not needed any more, unless a part of it is still to be imported."""
    try:
        with application.tenants.read(str(job.organisation_id)) as session:
            query = select(IMPORT.c.state).where(IMPORT.c.id == job.subject_id)
            state = session.execute(query).scalar()
    except TenantMissingError:
        state = None
    if state != ImportState.READY:
        application.files.remove(folder_of(str(job.organisation_id), str(job.subject_id)))
