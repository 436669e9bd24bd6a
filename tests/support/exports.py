"""Exports in tests: doing their jobs, and reading what came of them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import EXPORT_CONFIGURATION
from pigi.operations.exports import Owner, open_file, read_export, request_configuration
from tests.support.jobs import make_worker_context

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.context import WorkerContext
    from pigi.jobs.model.view import JobView
    from pigi.operations.exports import ExportView


def request(application: Application, caller: Caller) -> JobView:
    """Request a configuration export."""
    return request_configuration(application, caller)


def do(application: Application, job_id: str, worker_context: WorkerContext | None = None) -> None:
    """One attempt of an export's job, and its cleanup if that is due."""
    import tasks.exports  # noqa: F401 - importing registers

    run(HANDLERS[EXPORT_CONFIGURATION.name], job_id, worker_context or make_worker_context(application))


def export_of(application: Application, job: JobView) -> ExportView:
    """The export that a job writes."""
    assert job.subject_id is not None
    return read_export(application, Owner(job.organisation_id), job.subject_id)


def file_of(application: Application, job: JobView) -> bytes:
    """The bytes of its file, which fit what its row says of them."""
    assert job.subject_id is not None
    file = open_file(application, Owner(job.organisation_id), job.subject_id)
    data = b"".join(file.read(0, file.size))
    assert (len(data), hashlib.sha256(data).hexdigest()) == (file.export.bytes, file.sha256)
    return data


def exported(application: Application, caller: Caller) -> dict[str, Any]:
    """The document of a fresh configuration export."""
    job = request(application, caller)
    do(application, job.id)
    document: dict[str, Any] = json.loads(file_of(application, job))
    return document
