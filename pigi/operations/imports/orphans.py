"""Uploads that nobody waits for: a process died while one came, or between its row and its job.

Looked for in the files store: what it costs follows the uploads that lie there, not how many organisations there are.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from pigi.clock import now
from pigi.ids import is_id
from pigi.jobs.execution.isolation import for_each
from pigi.jobs.model.transitions import JOB
from pigi.operations.imports.imports import IMPORT, OPEN, ImportState, folder_of
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext

ORPHAN_AGE = timedelta(hours=2)
"""Longer than any upload may take."""


def sweep_imports(context: JobContext, application: Application) -> None:
    """Remove uploads, over two hours old, that no import needs; and imports without a job."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in application.files.find("organisations"):
        parts = one.name.split("/")
        if parts[2:3] == ["imports"] and len(parts) > 3 and _is_old(parts[3]):  # noqa: PLR2004 - organisations/ID/imports/ID
            found[parts[1]].add(parts[3])
    for_each(context, list(found.items()), lambda own: _sweep(application, *own), "sweeping", lambda own: own[0])


def _is_old(import_id: str) -> bool:
    """By the moment in its identifier, a UUID of version 7; what is none is no upload of Pigi's."""
    if not is_id(import_id):
        return False
    made = datetime.fromtimestamp((uuid.UUID(import_id).int >> 80) / 1000, UTC)
    return made < now() - ORPHAN_AGE


def _sweep(application: Application, organisation_id: str, import_ids: set[str]) -> None:
    for import_id in sorted(import_ids):
        try:
            needed = _is_needed(application, organisation_id, import_id)
        except TenantMissingError:
            needed = False
        if not needed:
            application.files.remove(folder_of(organisation_id, import_id))


def _is_needed(application: Application, organisation_id: str, import_id: str) -> bool:
    with application.tenants.session(organisation_id) as session:
        row = session.execute(select(IMPORT).where(IMPORT.c.id == import_id).with_for_update()).first()
        if row is None:
            return False
        with application.control.autocommit() as connection:
            has_job = connection.execute(select(JOB.c.id).where(JOB.c.id == row.job_id)).first() is not None
        if not has_job and row.state == ImportState.READING:
            session.execute(delete(IMPORT).where(IMPORT.c.id == import_id))
        # A job that failed may be retried by hand, and its cleanup removes the file.
        return has_job and row.state in {*OPEN, ImportState.FAILED}
