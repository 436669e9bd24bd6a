"""Probes and the engine's own upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import PROBES, SWEEP_JOBS
from pigi.operations import upkeep
from tasks.runtime import job

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


def answer_probe(context: JobContext, _hands: Hands) -> None:
    """Show that this queue has a working consumer."""
    upkeep.answer_probe(context)


for _probe in PROBES.values():
    job(_probe)(answer_probe)


@job(SWEEP_JOBS)
def sweep_jobs(context: JobContext, _hands: Hands) -> None:
    """Bury old jobs and remove what is past its period."""
    upkeep.sweep_jobs(context)
