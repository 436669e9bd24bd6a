"""Pages of retention for operators: what is kept for how long, what is due, and what a legal hold keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.retention import ENDED_OTHERWISE, HOLD_REVIEW, TITLES
from pigi.operations.operators import list_operators
from pigi.operations.organisations import names_of
from pigi.operations.retention import HOLDABLE, REASON_LENGTH, list_holds, report_classes
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply


def retention_page(context: AccountContext) -> Reply:
    """Each class of records: its period, its oldest row, and what its sweep did."""
    # Without counting all rows, of which there may be millions.
    classes = report_classes(context.application, counted=False)
    return draw(context, "operators/retention.html", here="", classes=classes, otherwise=ENDED_OTHERWISE)


def holds_page(context: AccountContext) -> Reply:
    """Legal holds, and proposing one."""
    today, holds = now().date(), list_holds(context.application)
    return draw(
        context,
        "operators/holds.html",
        here="",
        holds=holds,
        me=f"operator:{context.account.account_id}",
        classes=[(str(one), TITLES[one]) for one in HOLDABLE],
        names=names_of(context.application, [hold.organisation_id for hold in holds]),
        people={f"operator:{one.id}": one.name for one in list_operators(context.application)},
        today=today,
        latest=today + HOLD_REVIEW,
        longest=REASON_LENGTH,
    )


ROUTES = (
    page("/operate/retention", retention_page, Who.OPERATOR),
    page("/operate/holds", holds_page, Who.OPERATOR),
)
