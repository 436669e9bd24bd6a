"""Orphan cleanup: removing generations without a job, which a crash between two databases leaves behind.

A request writes to the tenant first and to the control database second. If it dies in between, a generation
without a job stays; it is sealed, and an hour later nobody can be about to commit its job any more.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.clock import now
from pigi.jobs.execution.isolation import for_each
from pigi.jobs.model.transitions import JOB
from pigi.operations.generations.generations import GENERATION, remove_generation
from pigi.operations.plans import recount_due
from pigi.store.control import Organisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlDatabase
    from pigi.store.tenants import Tenants

ORPHAN_AGE = timedelta(hours=1)
BATCH = 1000
"""Ids a query: PostgreSQL takes 65,535 parameters, and an organisation may ask for more in a week."""


def sweep_generations(context: JobContext, tenants: Tenants) -> None:
    """Remove orphans from every active organisation, and put its count of what is stored right if that is due.

    One that cannot be opened is skipped and reported.

    Each sweep has an order of its own, so that no organisation stands behind a slow one for good.
    """
    with context.control.autocommit() as connection:
        organisations = (
            connection.execute(select(Organisation.id).where(Organisation.state == "active")).scalars().all()
        )
    mixed = sorted(organisations, key=lambda one: sha256(f"{context.job.job_id} {one}".encode()).digest())
    for_each(context, mixed, partial(_tidy, context.control, tenants), "sweeping")


def _tidy(control: ControlDatabase, tenants: Tenants, organisation_id: str) -> None:
    remove_orphans(control, tenants, organisation_id)
    recount_due(tenants, organisation_id)


def remove_orphans(control: ControlDatabase, tenants: Tenants, organisation_id: str) -> int:
    """Remove an organisation's generations that are over an hour old and have no job; returns how many."""
    removed, after = 0, ""
    while generations := _old_generations(tenants, organisation_id, after):
        removed += _remove_jobless(control, tenants, organisation_id, generations)
        after = max(generations.values())
    return removed


def _old_generations(tenants: Tenants, organisation_id: str, after: str) -> dict[str, str]:
    """A batch in the order of their ids: job to generation."""
    old = (
        select(GENERATION.c.id, GENERATION.c.job_id)
        .where(GENERATION.c.created_at < now() - ORPHAN_AGE, GENERATION.c.id > after)
        .order_by(GENERATION.c.id)
        .limit(BATCH)
    )
    with tenants.read(organisation_id) as tenant:
        return {row.job_id: row.id for row in tenant.connection().execute(old)}


def _remove_jobless(
    control: ControlDatabase, tenants: Tenants, organisation_id: str, generations: dict[str, str]
) -> int:
    with control.autocommit() as connection:
        jobs: Sequence[str] = (
            connection.execute(select(JOB.c.id).where(JOB.c.id.in_(list(generations)))).scalars().all()
        )
    orphans = [generations[job_id] for job_id in generations.keys() - set(jobs)]
    for generation_id in orphans:
        remove_generation(tenants, organisation_id, generation_id)
    return len(orphans)
