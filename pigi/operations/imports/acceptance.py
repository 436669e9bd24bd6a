"""Accepting an import: from its report to configuration, in batches, each of which is there whole or not at all.

How far it is stands in the import's row and is written with each batch, so whoever takes over goes on behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pigi.clock import now
from pigi.domain.access import Caller
from pigi.domain.resources import ResourceState
from pigi.errors import Permanent, Refused
from pigi.ids import new_id
from pigi.jobs.kinds import ACCEPT_IMPORT
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import changing, choices_of
from pigi.operations.configuration import add_histories, growth_of_project, leave_project_room, signer
from pigi.operations.imports.document import BrokenFileError, Entry, read_document
from pigi.operations.imports.entries import judged
from pigi.operations.imports.file import opened
from pigi.operations.imports.imports import (
    IMPORT,
    ImportState,
    is_under_way,
    locked_import,
    move,
    report_of,
)
from pigi.operations.imports.placing import Cursor, is_there, make_project, there_before
from pigi.operations.imports.reading import uploaded_file
from pigi.operations.jobs import read_job
from pigi.operations.plans import Growth, check_resources, check_storage, plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.jobs.model.view import JobView
    from pigi.operations.configuration import History
    from pigi.operations.imports.entries import Judged
    from pigi.store.sessions import ControlSession, TenantSession

NOTE: Final = "importing"
EFFECT: Final = "configuration"
BATCH_ENTRIES: Final = 500
BATCH_WEIGHT: Final = 4 * 1024 * 1024
"""Characters of content after which a batch is written. More than one resource is in it only below that."""


def accept_import(
    application: Application,
    caller: Caller,
    import_id: str,
    on_queued: Callable[[ControlSession, JobView], None] | None = None,
) -> JobView:
    """Request that an import's content becomes configuration. Repeating it is answered with the same job.

    Raises Refused: ``not_found``, ``import_not_ready``, ``import_over`` for one that was discarded or could not be
        read, ``too_many_projects``, ``too_many_kept``, ``plan_limit``, ``organisation_closed``.
    """
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        row = locked_import(session, import_id)
        known = _known_job(application, caller, row)
        if known is None:
            _check_room(session, row, plan)
            job_id = new_id()
            move(session, import_id, ImportState.READY, accept_job_id=job_id, accepted_by=caller.name)
    with application.control.begin() as control:
        job = known or enqueue(
            control,
            application.notifier,
            ACCEPT_IMPORT,
            organisation_id=caller.organisation_id,
            requested_by=caller.name,
            subject_id=import_id,
            job_id=job_id,
        )
        if on_queued is not None:
            on_queued(control, job)
    return job


def _known_job(application: Application, caller: Caller, row: Any) -> JobView | None:
    """The job that accepts it already; None if there is none that does, and it can be accepted."""
    if row.state == ImportState.READING:
        raise Refused("import_not_ready")
    if row.state not in {ImportState.READY, ImportState.ACCEPTED}:
        raise Refused("import_over")
    if row.state == ImportState.ACCEPTED or is_under_way(application, row.accept_job_id):
        return read_job(application, row.accept_job_id, caller.organisation_id)
    return None


def _check_room(session: TenantSession, row: Any, plan: Any) -> None:
    """Refuse what would end in the middle, as far as it is known. What was imported before is not counted twice."""
    if row.cursor:
        return
    report = report_of(session, row) or {}
    adding = report["active"]
    leave_project_room(session, adding["projects"])
    check_resources(session, plan, adding=adding["resources"])
    if storing := report.get("storing"):
        check_storage(session, plan, Growth(**storing))


def import_configuration(context: JobContext, application: Application) -> None:
    """Import what the job's import holds, from where an earlier attempt or job left it.

    Raises Permanent: ``import_over`` if it is not to be imported (any more), ``import_unread`` if the file is not
        as it was read; Refused if there is no more room, or a project was archived meanwhile: then it can be
        accepted again, and goes on.
    """
    writer = _Writer(context, application)
    if writer.row.state == ImportState.ACCEPTED:
        context.confirm_effects(EFFECT)
        return
    context.begin_effect(EFFECT)
    upload = uploaded_file(application, writer.caller, writer.row)
    try:
        with opened(upload, application.settings.import_bytes, lambda _at: context.checkpoint()) as (_, file):
            entries = (entry for entry in read_document(file) if isinstance(entry, Entry))
            choices = choices_of(context.control, context.organisation_id)
            for one in judged(entries, signer(application, context.organisation_id), choices):
                writer.add(one)
            writer.close()
    except BrokenFileError:
        raise Permanent("import_unread") from None
    context.complete_effect(EFFECT, None)


class _Writer:
    """Takes entries in order, passes over those that are done, and writes the rest in batches."""

    def __init__(self, context: JobContext, application: Application) -> None:
        self._context, self._application = context, application
        self.caller = Caller(context.organisation_id)
        self._plan = plan_of(application, context.organisation_id)
        with changing(application, self.caller) as session:
            self.row = self._held(session)
            found = (report_of(session, self.row) or {})["found"]
        self._total = found["projects"] + found["resources"]
        self._written: str = self.row.cursor
        self._cursor = Cursor.read(self._written)
        self._batch: list[Judged] = []
        self._seen = self._weight = 0
        self._made = Growth()

    def add(self, one: Judged) -> None:
        """Take the next entry."""
        self._seen += 1
        if self._seen <= self._cursor.done:
            if one.entry.resource is None:
                self._at_project(self._cursor, one)
            return
        self._batch.append(one)
        if one.history is not None:
            self._weight += sum(len(past.content.text) for past in one.history.revisions)
        if len(self._batch) >= BATCH_ENTRIES or self._weight >= BATCH_WEIGHT:
            self._write(last=False)

    def close(self) -> None:
        """Write the rest; with it the import is accepted."""
        self._write(last=True)

    def _write(self, *, last: bool) -> None:
        self._context.checkpoint_now()
        with changing(self._application, self.caller) as session:
            row = self._held(session)
            if row.cursor != self._written:
                # Another attempt has written this batch: it has the job, and this one was given up for dead.
                raise Permanent("import_over")
            cursor = Cursor(**vars(self._cursor))
            self._made = Growth()
            added = list(self._placed(session, cursor))
            active = {project for project in (cursor.project, cursor.aside) if project and cursor.active}
            add_histories(session, str(row.accepted_by), self._plan, active, added, self._made)
            cursor.done += len(self._batch)
            text = cursor.written()
            session.execute(IMPORT.update().where(IMPORT.c.id == row.id).values(cursor=text))
            if last:
                move(session, row.id, ImportState.ACCEPTED, ended_at=now())
        self._cursor, self._written = cursor, text
        self._batch.clear()
        self._weight = 0
        self._context.progress(min(cursor.done, self._total), self._total, NOTE)

    def _placed(self, session: TenantSession, cursor: Cursor) -> Iterator[tuple[str, str, History]]:
        """Each resource of the batch that is to be added, with its project's id and its own; makes the projects.

        Lists and exports go by ids: sorted, they keep the order of the file.
        """
        ids = sorted(new_id() for _ in self._batch)
        for own, one in zip(ids, self._batch, strict=True):
            if one.entry.resource is None:
                self._at_project(cursor, one)
                self._open_project(session, cursor, one, own)
            elif one.history is not None and (place := self._place(session, cursor, one.history)):
                yield place, own, one.history

    def _at_project(self, cursor: Cursor, one: Judged) -> None:
        if one.project is not None:
            cursor.name, cursor.description = one.project.name, one.project.description
            cursor.active = one.project.state == ResourceState.ACTIVE

    def _open_project(self, session: TenantSession, cursor: Cursor, one: Judged, own: str) -> None:
        if one.project is not None:
            there = there_before(session, one.project, self.row.created_at)
            cursor.aside, cursor.merged = "", there is not None
            cursor.project = there or self._make(session, cursor, one.project.state, own)

    def _place(self, session: TenantSession, cursor: Cursor, history: History) -> str | None:
        """In which project the resource goes; None if it is there already."""
        there = is_there(session, cursor.project, history) if cursor.merged else None
        if there is None:
            return cursor.project
        if not there and not cursor.aside:
            cursor.aside = self._make(session, cursor, ResourceState.ACTIVE)
        return None if there else cursor.aside

    def _make(self, session: TenantSession, cursor: Cursor, state: ResourceState, own: str | None = None) -> str:
        made = make_project(session, str(self.row.accepted_by), cursor, state, own)
        self._made += growth_of_project(made.name, made.description)
        return made.id

    def _held(self, session: TenantSession) -> Any:
        try:
            row = locked_import(session, self._context.subject_id)
        except Refused:
            raise Permanent("import_over") from None
        mine = row.accept_job_id == self._context.job.job_id
        if not mine or row.state not in {ImportState.READY, ImportState.ACCEPTED}:
            raise Permanent("import_over")
        return row
