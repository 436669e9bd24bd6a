"""The operators' console: states and counts, never content."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.controls import State
from pigi.domain.job_state import JobState
from pigi.operations.billing import oversee
from pigi.operations.contact import count_tickets
from pigi.operations.dashboards import count_jobs
from pigi.operations.deletion import late_deletions
from pigi.operations.exports import count_preparing
from pigi.operations.health import readiness
from pigi.operations.jobs import list_jobs
from pigi.operations.keys import keys_to_replace
from pigi.operations.organisations import list_organisations, names_of
from pigi.operations.policy import policy_history
from pigi.operations.privacy_requests import overdue_requests
from pigi.operations.promises import promises_standing
from pigi.operations.retention import list_holds, report_classes
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
    application = context.application
    counts = count_jobs(application)
    oversight = oversee(application)
    organisations = list_organisations(application)
    failed = list_jobs(application, None, state=JobState.FAILED, limit=MOST)
    holds = [hold for hold in list_holds(application) if hold.state != "released"]
    return draw(
        context,
        "operators/overview.html",
        here="",
        health=readiness(application),
        counts=[(state, counts.get(state, 0)) for state in JobState],
        failed=failed,
        organisations=organisations,
        names=names_of(application, [job.organisation_id for job in failed]),
        late_deletions=late_deletions(application),
        preparing=count_preparing(application),
        late_records=sum(line.overdue for line in report_classes(application, counted=False)),
        policy_versions=len(policy_history(application).versions),
        requests_overdue=overdue_requests(application),
        tickets=count_tickets(application),
        tickets_overdue=count_tickets(application, overdue=True),
        keys_to_replace=keys_to_replace(application),
        lines_wrong=sum(standing.state in {State.FAILING, State.STALE} for standing in promises_standing(application)),
        holds=sum(hold.state == "active" for hold in holds),
        holds_to_do=sum(hold.overdue or hold.state == "proposed" for hold in holds),
        billing=oversight,
        billing_late=_late(oversight),
    )


def _late(oversight: Oversight) -> bool:
    return oversight.oldest_waiting is not None and oversight.oldest_waiting < now() - LATE


ROUTES = (page("/operate", operate_page, Who.OPERATOR),)
