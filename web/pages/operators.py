"""The operators' console: states and counts, never content."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.operations.billing import oversee
from pigi.operations.dashboards import count_jobs
from pigi.operations.health import readiness
from pigi.operations.jobs import list_jobs
from pigi.operations.organisations import list_organisations
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from pigi.operations.billing import Oversight
    from web.http.context import AccountContext
    from web.http.replies import Reply

MOST = 25
LATE = timedelta(hours=1)
"""Events of Stripe's are processed in seconds: one that waits so long is stuck."""


def operate_page(context: AccountContext) -> Reply:
    """The state of the installation."""
    counts = count_jobs(context.application)
    oversight = oversee(context.application)
    return draw(
        context,
        "operators/overview.html",
        here="",
        health=readiness(context.application),
        counts=[(state, counts.get(state, 0)) for state in JobState],
        failed=list_jobs(context.application, None, state=JobState.FAILED, limit=MOST),
        organisations=list_organisations(context.application),
        billing=oversight,
        billing_late=_late(oversight),
    )


def _late(oversight: Oversight) -> bool:
    return oversight.oldest_waiting is not None and oversight.oldest_waiting < now() - LATE


ROUTES = (page("/operate", operate_page, Who.OPERATOR),)
