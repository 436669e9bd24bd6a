"""The operators' console: states and counts, never content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.job_state import JobState
from pigi.operations.glances import count_jobs
from pigi.operations.health import readiness
from pigi.operations.jobs import list_jobs
from pigi.operations.organisations import list_organisations
from web.pages.route import page
from web.pages.shell import draw
from web.routes import Who

if TYPE_CHECKING:
    from web.call import SignedIn
    from web.replies import Reply

MOST = 25


def operate_page(visit: SignedIn) -> Reply:
    """How the installation stands."""
    counts = count_jobs(visit.application)
    return draw(
        visit,
        "operate/overview.html",
        here="",
        health=readiness(visit.application),
        counts=[(state, counts.get(state, 0)) for state in JobState],
        failed=list_jobs(visit.application, None, state=JobState.FAILED, limit=MOST),
        organisations=list_organisations(visit.application),
    )


ROUTES = (page("/operate", operate_page, Who.OPERATOR),)
