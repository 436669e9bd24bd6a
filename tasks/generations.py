"""Generate with AI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import GENERATE_DRAFT, SWEEP_GENERATIONS
from pigi.operations import drafting, generations, sweeping
from tasks.runtime import job

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.job_state import JobState
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


def put_away(
    application: Application, organisation_id: str | None, generation_id: str, state: JobState, ended_at: datetime
) -> datetime | None:
    """Erase the purpose at the end of the job, on every path (P15)."""
    if organisation_id is None:
        return None
    return generations.put_away(application.tenants, organisation_id, generation_id, state, ended_at)


@job(GENERATE_DRAFT, closing=put_away)
def write_draft(context: JobContext, hands: Hands) -> None:
    """Draft a resource from a name and a purpose."""
    drafting.write_draft(context, hands.application.tenants, hands.gateways.model)


@job(SWEEP_GENERATIONS)
def sweep_generations(context: JobContext, hands: Hands) -> None:
    """Remove generations that a crash left without a job."""
    sweeping.sweep_generations(context, hands.application.tenants)
