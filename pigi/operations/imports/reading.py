"""Reading an upload: what is in it, and what would come of it. Nothing is stored but the report.

It looks at what the organisation has in short sessions of many entries each, never while it waits for the file.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from pigi.clock import now
from pigi.domain.access import Caller
from pigi.domain.limits import PROJECTS, RESOURCES
from pigi.domain.resources import ResourceState
from pigi.errors import Permanent, Refused
from pigi.operations.access import changing, choices_of, reading
from pigi.operations.configuration import count_active, growth_of_project, signer
from pigi.operations.imports.document import BrokenFileError, Ignored, read_document
from pigi.operations.imports.entries import judged
from pigi.operations.imports.file import UploadedFile, opened
from pigi.operations.imports.imports import ImportState, folder_of, locked_import, move, report_of, sealed_report
from pigi.operations.imports.placing import free_name, is_there, there_before
from pigi.operations.imports.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.imports.document import Entry
    from pigi.operations.imports.entries import Judged
    from pigi.store.sessions import TenantSession

NOTE: Final = "reading"
BATCH: Final = 200
"""Entries that are compared with what is there in one session."""


def read_upload(context: JobContext, application: Application) -> None:
    """Read the job's import and store its report: then it is ready, or it has failed.

    Raises BrokenFileError, as the job's end too, with what is wrong with the file; FilesAwayError.
    """
    caller = Caller(context.organisation_id)
    row = _begin(application, caller, context.subject_id)
    if row.state == ImportState.READY:
        return
    upload = uploaded_file(application, caller, row)
    survey, sign = _Survey(application, caller, row.created_at), signer(application, caller.organisation_id)
    form = None
    try:
        with opened(upload, application.settings.import_bytes, lambda at: _went_on(context, at, row.size)) as (
            form,
            file,
        ):
            choices = choices_of(application.control, caller.organisation_id)
            for one in judged(_without_ignored(read_document(file), survey.report), sign, choices):
                survey.add(one)
            survey.close()
    except BrokenFileError as broken:
        _end(application, caller, context, ImportState.FAILED, {"reason": broken.code}, form)
        raise
    _end(application, caller, context, ImportState.READY, survey.report.told(), form)
    context.progress(row.size, row.size, NOTE)


def survey_document(application: Application, caller: Caller, data: bytes) -> dict[str, Any]:
    """The report on a file that is at hand, were it imported now: nothing is stored, not even the report.

    Raises BrokenFileError with what is wrong with the file.
    """
    survey, sign = _Survey(application, caller, now()), signer(application, caller.organisation_id)
    choices = choices_of(application.control, caller.organisation_id)
    for one in judged(_without_ignored(read_document(BytesIO(data)), survey.report), sign, choices):
        survey.add(one)
    survey.close()
    return survey.report.told()


def uploaded_file(application: Application, caller: Caller, row: Any) -> UploadedFile:
    """The upload of an import's row."""
    sizes = [int(size) for size in row.sizes.split(",") if size]
    return UploadedFile(application.files, folder_of(caller.organisation_id, row.id), sizes)


def _begin(application: Application, caller: Caller, import_id: str) -> Any:
    """The row of an import that is to be read, also once more; raises Permanent if it is not to be."""
    with changing(application, caller) as session:
        try:
            row = locked_import(session, import_id)
        except Refused:
            raise Permanent("import_over") from None
        reason = (report_of(session, row) or {}).get("reason")
        if row.state == ImportState.FAILED and reason == "import_unread":
            move(session, import_id, ImportState.READING, report=None, ended_at=None)
        elif row.state == ImportState.FAILED:
            raise BrokenFileError(str(reason))
        elif row.state not in {ImportState.READING, ImportState.READY}:
            raise Permanent("import_over")
        return row


def _went_on(context: JobContext, at: int, size: int) -> None:
    context.checkpoint()
    context.progress(min(at, size - 1), size, NOTE)


def _without_ignored(found: Iterator[Entry | Ignored], report: Report) -> Iterator[Entry]:
    for one in found:
        if isinstance(one, Ignored):
            report.ignored.add(pointer=one.pointer)
        else:
            yield one


def _end(  # noqa: PLR0913 - what is written, and of which attempt
    application: Application,
    caller: Caller,
    context: JobContext,
    state: ImportState,
    report: dict[str, Any],
    form: str | None,
) -> None:
    context.checkpoint_now()
    with changing(application, caller) as session:
        if locked_import(session, context.subject_id).state == ImportState.READING:
            sealed = sealed_report(session, context.subject_id, report)
            ended = now() if state == ImportState.FAILED else None
            move(session, context.subject_id, state, report=sealed, format=form, ended_at=ended)


class _Survey:
    """Compares what the file has with what is there, a batch at a time, and counts what would come of it."""

    def __init__(self, application: Application, caller: Caller, uploaded: datetime) -> None:
        self._application, self._caller, self._uploaded = application, caller, uploaded
        self._batch: list[Judged] = []
        self._target: str | None = None
        self._name, self._description, self._aside, self._adding, self._active = "", "", False, 0, True
        self.report = Report()

    def add(self, one: Judged) -> None:
        """Count an entry, and compare it with those before it once they are many."""
        self.report.count_found(one)
        if one.project is not None or one.history is not None:
            self._batch.append(one)
        if len(self._batch) >= BATCH:
            self._compare()

    def close(self) -> None:
        """Compare the rest, and see whether there is room for all of it."""
        self._compare()
        with reading(self._application, self._caller) as session:
            self._end_project(session)
            self._name = ""
            self._limit("too_many_projects", PROJECTS, count_active(session) + self.report.active_projects)

    def _compare(self) -> None:
        with reading(self._application, self._caller) as session:
            for one in self._batch:
                if one.project is not None:
                    self._project(session, one)
                else:
                    self._resource(session, one)
        self._batch.clear()

    def _project(self, session: TenantSession, one: Judged) -> None:
        self._end_project(session)
        project = one.project
        if project is None:
            return
        self._target = there_before(session, project, self._uploaded)
        self._name, self._description, self._aside, self._adding = project.name, project.description, False, 0
        if self._target is None:
            self._new_project(project.name, active=project.state == ResourceState.ACTIVE)
        self.report.projects.add(
            pointer=one.entry.pointer, name=project.name, state=project.state, into=self._target and "existing"
        )

    def _new_project(self, name: str, *, active: bool) -> None:
        self.report.storing += growth_of_project(name, self._description)
        self.report.created["projects"] += 1
        self.report.active_projects += active
        self._active = active

    def _resource(self, session: TenantSession, one: Judged) -> None:
        history = one.history
        if history is None:
            return
        there = None if self._target is None else is_there(session, self._target, history)
        if there is True:
            self.report.same += 1
            return
        self.report.count_created(one)
        counts = history.state == ResourceState.ACTIVE and (self._target is not None or self._active)
        self.report.active += counts
        if there is None:
            self._adding += history.state == ResourceState.ACTIVE
            return
        self._conflict(session, one)

    def _conflict(self, session: TenantSession, one: Judged) -> None:
        into = free_name(session, self._name)
        if not self._aside:
            self._aside = True
            self._new_project(into, active=True)
        name = one.history.latest.content.name if one.history else ""
        kind = one.history.kind if one.history else ""
        self.report.conflicts.add(pointer=one.entry.pointer, kind=kind, name=name, project=self._name, into=into)

    def _end_project(self, session: TenantSession) -> None:
        if self._target is not None:
            self._limit("too_many_resources", RESOURCES, count_active(session, self._target) + self._adding)

    def _limit(self, code: str, most: int, wanted: int) -> None:
        if wanted > most:
            self.report.limits.append({"code": code, "limit": most, "wanted": wanted, "project": self._name})
