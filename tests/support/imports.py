"""Imports in tests: documents as an export has them, uploads without HTTP, and their jobs done at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import Handler
from pigi.jobs.kinds import ACCEPT_IMPORT, READ_IMPORT
from pigi.operations.imports import Upload, accept_import, import_configuration, read_import, read_upload
from tests.support.contents import CONTENTS, NAME_FIELDS
from tests.support.jobs import make_worker_context, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.operations.imports import ImportView

MADE_AT = "2026-01-02T03:04:05Z"


def revision_of(number: int, content: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A revision as an export has it."""
    facts = {"author": "person-1", "origin": "written", "message": None, "created_at": MADE_AT}
    return {"number": number, "content": content, **facts, **others}


def resource_of(kind: str, name: str = "", revisions: int = 1, **others: Any) -> dict[str, Any]:
    """A resource as an export has it, with as many revisions, the last of this name."""
    content = {**CONTENTS[kind], NAME_FIELDS[kind]: name or CONTENTS[kind][NAME_FIELDS[kind]]}
    past = [revision_of(number, content) for number in range(1, revisions + 1)]
    return {"kind": kind, "name": content[NAME_FIELDS[kind]], "state": "active", "revisions": past, **others}


def project_of(name: str, *resources: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A project as an export has it."""
    return {
        "name": name,
        "description": "",
        "state": "active",
        "created_at": MADE_AT,
        **others,
        "resources": list(resources),
    }


def document_of(*projects: dict[str, Any], **others: Any) -> bytes:
    """An export."""
    head = {"format": "pigi-configuration", "version": 1, "exported_at": MADE_AT, "organisation": {"name": "Elsewhere"}}
    return json.dumps({**head, "projects": list(projects), "releases": [], **others}, ensure_ascii=False).encode()


def upload(application: Application, caller: Caller, data: bytes | Iterable[bytes]) -> str:
    """Upload a file; the import's id."""
    coming = Upload(application, caller)
    coming.take([data] if isinstance(data, bytes) else data)
    coming.close()
    return coming.id


def read(application: Application, caller: Caller, data: bytes | Iterable[bytes]) -> ImportView:
    """Upload a file and have it read; the import then."""
    import_id = upload(application, caller, data)
    return do_read(application, caller, import_id)


def do_read(application: Application, caller: Caller, import_id: str) -> ImportView:
    """Do the job that reads; the import then."""
    job_id = read_import(application, caller, import_id).job_id
    run(Handler(READ_IMPORT, lambda context, own: read_upload(context, own.application)), job_id, _hands(application))
    return read_import(application, caller, import_id)


def accept(application: Application, caller: Caller, import_id: str) -> Any:
    """Accept an import and do the job; the job's row then."""
    job = accept_import(application, caller, import_id)
    do_accept(application, job.id)
    return row_of(application.control, job.id)


def do_accept(application: Application, job_id: str) -> None:
    """Do the job that imports."""
    body = Handler(ACCEPT_IMPORT, lambda context, own: import_configuration(context, own.application))
    run(body, job_id, _hands(application))


def _hands(application: Application) -> Any:
    return make_worker_context(application)
