"""The configuration export: requesting one, and the job that writes it (P31).

It shows the configuration as it was at one moment, since revisions that are younger are left out; only names and states
may be newer. The form is `pigi.domain.configuration_format`'s. Contents are copied as they were stored: they are JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.exports import ExportScope
from pigi.jobs.kinds import EXPORT_CONFIGURATION
from pigi.operations.access import ORGANISATION
from pigi.operations.audit import record
from pigi.operations.exports.document import Document
from pigi.operations.exports.exports import Owner, add_export
from pigi.operations.exports.oversight import deliver
from pigi.operations.exports.pages import Pages
from pigi.operations.exports.parts import PartWriter
from pigi.operations.exports.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.context import JobContext
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession

NOTE = "writing"


def request_configuration(
    application: Application, caller: Caller, on_queued: Callable[[ControlSession, JobView], None] | None = None
) -> JobView:
    """Request a copy of the organisation's configuration. Raises Refused as `add_export`."""
    owner = Owner(caller.organisation_id)
    with application.control.begin() as session:
        job = add_export(session, application, EXPORT_CONFIGURATION, ExportScope.CONFIGURATION, owner, caller.name)
        record(session, application, "export.requested", caller.name, owner.id, export=job.subject_id)
        if on_queued is not None:
            on_queued(session, job)
    return job


def write_configuration(context: JobContext, application: Application) -> None:
    """Write the file of the job's export, from where an earlier attempt left it.

    Raises Permanent ``export_gone``; FilesAwayError while the files store is away or full.
    """
    with PartWriter(context, application) as file:
        if file.done:
            file.settle()
        else:
            _write(context, application, file)


def _write(context: JobContext, application: Application, file: PartWriter) -> None:
    file.begin()
    place = Place.read(file.cursor) if file.cursor else None
    document = Document(file.add, file.export.id, place or Place(file.export.created_at))
    pages = Pages(application, context.organisation_id, document.place)
    total = max(pages.count(), document.place.done)
    if place is None:
        document.open(_organisation(context))
    for project in pages.projects():
        document.open_project(project)
        for resources, revisions in pages.revisions(project.id):
            document.add(resources, revisions)
            if file.full:
                file.cut(document.place.write())
            context.checkpoint()
            context.progress(min(document.place.done, total - 1), total, NOTE)
    document.close()
    file.finish(lambda session: deliver(session, application, file.export))
    context.progress(total, total, NOTE)


def _organisation(context: JobContext) -> Any:
    query = select(ORGANISATION.c.name, ORGANISATION.c.created_at).where(ORGANISATION.c.id == context.organisation_id)
    with context.control.autocommit() as connection:
        return connection.execute(query).one()
