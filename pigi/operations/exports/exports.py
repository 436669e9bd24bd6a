"""The life of an export: requested with its job, written part by part, ready for its period, then expired.

The row and the job are made in one transaction of the control database. The file lies in the files store, in parts
under names of their own, and nobody is given it before its last part is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from pigi.clock import now
from pigi.domain.exports import MOST_PREPARING, ExportScope, ExportState
from pigi.domain.retention import HELD_AGAIN, Retention, keep
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.model.transitions import IS_ENDED, JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import hold_organisation
from pigi.store.exports import Export
from pigi.store.holds import is_held
from pigi.store.paging import read_stretch

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.cleanup import EndedJob
    from pigi.jobs.kind import Kind
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession

EXPORT: Any = Export.__table__
RETRY_AFTER_SECONDS = 60
"""When to come back if too many exports are preparing: most are ready by then."""


@dataclass(frozen=True)
class Owner:
    """Whose an export is: an organisation's or a person's, by their id."""

    organisation_id: str | None = None
    account_id: str | None = None

    @property
    def id(self) -> str:
        """The one id or the other; raises ValueError without either."""
        found = self.organisation_id or self.account_id
        if found is None:
            message = "an export belongs to an organisation or a person"
            raise ValueError(message)
        return found

    @property
    def folder(self) -> str:
        """The folder of all that the files store holds for this owner."""
        return f"organisations/{self.id}" if self.organisation_id else f"accounts/{self.id}"

    @property
    def rows(self) -> Any:
        """The condition on rows of this owner's exports."""
        return EXPORT.c.organisation_id == self.id if self.organisation_id else EXPORT.c.account_id == self.id


@dataclass(frozen=True)
class Part:
    """A part of a file that is written whole: by which attempt, and its size in bytes."""

    attempt: int
    size: int


@dataclass(frozen=True)
class ExportView:
    """An export as its owner may see it; ``bytes``, ``sha256`` and ``expires_at`` are None until it is ready."""

    id: str
    scope: ExportScope
    owner: Owner
    job_id: str
    requested_by: str
    state: ExportState
    bytes: int | None
    sha256: str | None
    parts: tuple[Part, ...]
    created_at: datetime
    expires_at: datetime | None


def add_export(  # noqa: PLR0913 - an export's facts, each named at the call
    session: ControlSession,
    application: Application,
    kind: Kind,
    scope: ExportScope,
    owner: Owner,
    requested_by: str,
) -> JobView:
    """Add an export and its job, which is about it, to the session's transaction.

    Raises Refused: ``not_found`` if the organisation is gone, ``organisation_closed`` if it is past its grace period,
        ``too_many_in_flight`` if as many are preparing as may.
    """
    if owner.organisation_id is not None and hold_organisation(session, owner.organisation_id) is None:
        raise Refused("not_found", sought=f"organisation {owner.organisation_id}")
    preparing = owner.rows & (EXPORT.c.scope == scope) & (EXPORT.c.state == ExportState.PREPARING)
    if session.execute(select(func.count()).select_from(EXPORT).where(preparing)).scalar_one() >= MOST_PREPARING:
        raise Refused("too_many_in_flight", limit=MOST_PREPARING, retry_after=RETRY_AFTER_SECONDS)
    export_id, job_id = new_id(), new_id()
    row = {
        "id": export_id,
        "scope": scope.value,
        "organisation_id": owner.organisation_id,
        "account_id": owner.account_id,
        "job_id": job_id,
        "requested_by": requested_by,
        "state": ExportState.PREPARING.value,
        "sizes": "",
        "cursor": "",
        "created_at": now(),
    }
    session.execute(insert(EXPORT), row)
    return enqueue(
        session,
        application.notifier,
        kind,
        organisation_id=owner.organisation_id,
        requested_by=requested_by,
        subject_id=export_id,
        job_id=job_id,
    )


def add_canary_export(application: Application, kind: Kind, caller: Caller, account_id: str | None = None) -> JobView:
    """Add an export of Pigi's own canary: of the caller's organisation, or of the account. No audit log tells of it.

    Raises Refused as `add_export`.
    """
    owner = Owner(account_id=account_id) if account_id else Owner(caller.organisation_id)
    scope = ExportScope.ACCESS if account_id else ExportScope.CONFIGURATION
    with application.control.begin() as session:
        return add_export(session, application, kind, scope, owner, caller.name)


def forget_export(application: Application, job_id: str) -> None:
    """Remove a canary's export before its period is over, with its job: it proves nothing any more."""
    with application.control.autocommit() as connection:
        row = connection.execute(
            select(EXPORT).where(EXPORT.c.job_id == job_id, EXPORT.c.state != ExportState.PREPARING.value)
        ).first()
    if row is None:
        return
    application.files.remove(folder_of(Owner(row.organisation_id, row.account_id), row.id))
    with application.control.transaction() as connection:
        connection.execute(delete(JOB).where(JOB.c.id == job_id, IS_ENDED))
        connection.execute(delete(EXPORT).where(EXPORT.c.id == row.id))


def list_exports(
    application: Application,
    owner: Owner,
    *,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[ExportView]:
    """The owner's exports, newest first; ``before`` and ``after`` are ids (`pigi.store.paging`)."""
    query = select(EXPORT).where(owner.rows)
    with application.control.autocommit() as connection:
        rows = read_stretch(connection.execute, query, EXPORT.c.id, limit=limit, before=before, after=after)
        return [view_of(row) for row in rows]


def find_owner(application: Application, export_id: str) -> Owner | None:
    """Whose an export is, for whoever has a signed link to it; None if there is none."""
    if not is_id(export_id):
        return None
    with application.control.autocommit() as connection:
        row = connection.execute(select(EXPORT).where(EXPORT.c.id == export_id)).first()
    return None if row is None else Owner(row.organisation_id, row.account_id)


def read_export(application: Application, owner: Owner, export_id: str) -> ExportView:
    """An export of this owner; raises Refused ``not_found``."""
    if not is_id(export_id):
        raise Refused("not_found")
    with application.control.autocommit() as connection:
        row = connection.execute(select(EXPORT).where(EXPORT.c.id == export_id, owner.rows)).first()
    if row is None:
        raise Refused("not_found")
    return view_of(row)


def view_of(row: Any) -> ExportView:
    """An export from its row. Its period ends to the second, whenever its files are removed."""
    state = ExportState(row.state)
    if state is ExportState.READY and row.expires_at <= now():
        state = ExportState.EXPIRED
    return ExportView(
        row.id,
        ExportScope(row.scope),
        Owner(row.organisation_id, row.account_id),
        row.job_id,
        row.requested_by,
        state,
        row.bytes,
        row.sha256,
        read_parts(row.sizes),
        row.created_at,
        row.expires_at,
    )


def folder_of(owner: Owner, export_id: str) -> str:
    """The folder of an export's parts."""
    return f"{owner.folder}/exports/{export_id}"


def object_name(owner: Owner, export_id: str, number: int, part: Part) -> str:
    """Where part ``number``, from 1, lies.

    Each attempt writes under a name of its own: one that was given up for dead, and still writes, replaces nothing.
    """
    return f"{folder_of(owner, export_id)}/{number}-{part.attempt}"


def read_parts(text: str) -> tuple[Part, ...]:
    """The parts that a row's ``sizes`` lists."""
    pairs = (entry.split(":") for entry in text.split(",") if entry)
    return tuple(Part(int(attempt), int(size)) for attempt, size in pairs)


def write_parts(parts: tuple[Part, ...]) -> str:
    """The parts as a row's ``sizes`` holds them."""
    return ",".join(f"{part.attempt}:{part.size}" for part in parts)


def _is_held(application: Application, organisation_id: str | None) -> bool:
    with application.control.autocommit() as connection:
        return organisation_id is not None and is_held(connection, organisation_id, Retention.EXPORT)


def clean_up(application: Application, job: EndedJob) -> datetime | None:
    """Remove the files of an export that came to nothing, or whose period is over; returns when to come again.

    What came to nothing is looked after once more at the end of that period: a worker that was given up for dead may
    still have put a part there.
    """
    if job.subject_id is None:
        return None
    with application.control.autocommit() as connection:
        row = connection.execute(select(EXPORT).where(EXPORT.c.id == job.subject_id)).first()
    if row is None:
        return None
    ends = row.expires_at if row.state == ExportState.READY else job.ended_at + keep(Retention.EXPORT)
    over = ends <= now()
    if row.state == ExportState.READY and not over:
        return ends
    if row.state == ExportState.READY and _is_held(application, row.organisation_id):
        return now() + HELD_AGAIN
    if row.state in {ExportState.PREPARING, ExportState.READY}:
        target = ExportState.EXPIRED if row.state == ExportState.READY else ExportState.FAILED
        this = EXPORT.c.id == row.id, EXPORT.c.state == row.state
        with application.control.transaction() as connection:
            connection.execute(update(EXPORT).where(*this).values(state=target.value, sizes="", cursor=""))
        job.check()
    application.files.remove(folder_of(Owner(row.organisation_id, row.account_id), row.id))
    return None if over else ends
