"""Pages of an organisation's plan: what it is, what is used of it, and the way back from Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.billing import may_open_invoices, read_billing
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.money import bought_words, meters_of, title_of

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def billing_page(context: OrganisationContext) -> Reply:
    """The plan, what is used of it, and what can be bought."""
    view = read_billing(context.application, context.caller)
    usual = context.application.plans.usual
    return draw(
        context,
        "billing/billing.html",
        here="billing",
        billing=view,
        invoices=view.subscribed.invoices if view.subscribed and may_open_invoices(context.caller) else (),
        bought=bought_words(view),
        meters=meters_of(view.plan, view.use),
        status_title=title_of(view.status, view.plan, usual),
        offers=[(usual, ()), *view.offers],
    )


def billing_return_page(context: OrganisationContext) -> Reply:
    """Where Stripe sends people back to. Whatever the address says is not read: only Stripe knows how things stand."""
    return draw(context, "billing/return.html", here="billing")


ROUTES = (
    page(f"{OWN}/billing", billing_page, Action.BILLING_READ),
    page(f"{OWN}/billing/return", billing_return_page, Action.BILLING_READ),
)
