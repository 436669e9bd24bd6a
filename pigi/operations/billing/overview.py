"""Billing as an organisation sees it: its plan and what is used of it, and requests for pages at Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from pigi.clock import now
from pigi.domain.subscriptions import NONE, ONGOING, WANTS_PAYMENT
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.kinds import OPEN_CHECKOUT, OPEN_PORTAL, SYNC_BILLING
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.billing.customers import find_account
from pigi.operations.billing.subscribed import PAGE as SUBSCRIPTION
from pigi.operations.billing.subscribed import read_subscribed
from pigi.operations.plans import UsageLimits, count_usage, plan_in, use_of
from pigi.store.billing import BillingLink, BillingPrice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.jobs.kind import Kind
    from pigi.jobs.model.view import JobView
    from pigi.operations.billing.subscribed import Subscribed
    from pigi.operations.plans import Use
    from pigi.store.sessions import ControlSession

    Offers = tuple[tuple[Plan, tuple["Offer", ...]], ...]
    OnQueued = Callable[[ControlSession, JobView], None] | None

LINK: Any = BillingLink.__table__
PRICE: Any = BillingPrice.__table__
PORTAL_PAGES = ("portal", "payment-method")
"""What the portal can be opened at: all of it, or the page for a new means of payment."""
MOST_WAITING, MOST_A_DAY = 20, 500
"""Pages and syncs that one organisation may request: more than people click, less than would hurt at Stripe's."""


@dataclass(frozen=True)
class Offer:
    """A price at which a plan can be bought; what it costs is None until Stripe returned it."""

    price_id: str
    amount: int | None = None
    currency: str | None = None
    interval: str | None = None
    interval_count: int = 1


@dataclass(frozen=True)
class BillingView:
    """An organisation's plan and subscription.

    Attributes:
        plan: what applies; ``granted`` says that an operator gave it.
        status: Stripe's word for the subscription, ``none`` without one.
        customer: whether there is a customer at Stripe, and so a portal.
        read_at: when Stripe was last read.
        offers: what can be bought, each plan with its prices.
        buys: whether it can buy a subscription now; otherwise it changes the one it has, in the portal.
        is_active: whether there is a subscription that is not over.
        subscribed: when it renews or ends, if Stripe was asked lately.
        wants_payment: whether a payment is late, or one was never made.
    """

    plan: Plan
    granted: bool
    status: str
    customer: bool
    read_at: datetime | None
    use: Use
    offers: Offers
    subscribed: Subscribed | None = None

    @property
    def buys(self) -> bool:
        return bool(self.offers) and not self.is_active and not self.granted

    @property
    def is_active(self) -> bool:
        return self.status in ONGOING

    @property
    def wants_payment(self) -> bool:
        return self.customer and self.status in WANTS_PAYMENT


@dataclass(frozen=True, repr=False)
class LinkView:
    """A requested page; ``url`` is None until the job has opened it. ``repr`` is off: it opens the page."""

    id: str
    page: str
    url: str | None
    created_at: datetime


def read_billing(application: Application, caller: Caller) -> BillingView:
    """The plan and subscription of the caller's organisation, from what is stored; no request goes to Stripe."""
    with application.control.autocommit() as connection:
        row = find_account(connection, caller.organisation_id)
        offers = _all_offers(connection, application)
        plan = plan_in(connection, application, caller.organisation_id)
    return BillingView(
        plan,
        granted=row is not None and row.granted is not None,
        status=NONE if row is None else row.status,
        customer=row is not None and row.customer_id is not None,
        read_at=None if row is None else row.read_at,
        use=use_of(application, caller),
        offers=offers,
        subscribed=read_subscribed(application, caller.organisation_id) if row is not None else None,
    )


def list_offers(application: Application) -> Offers:
    """What can be bought here, for everybody to see: each plan, the least first, with its prices."""
    with application.control.autocommit() as connection:
        return _all_offers(connection, application)


def wanted_payment(application: Application, organisation_id: str) -> str | None:
    """The organisation's status if a payment is late, for the banner on each of its pages; None if none is."""
    if not application.plans.charged:
        return None
    with application.control.autocommit() as connection:
        row = find_account(connection, organisation_id)
    late = row is not None and row.customer_id is not None and row.status in WANTS_PAYMENT
    return str(row.status) if late else None


def request_checkout(
    application: Application, caller: Caller, plan: str, price_id: str | None = None, on_queued: OnQueued = None
) -> JobView:
    """Request the page on which ``plan`` is bought, at one of its prices, the first if none is named.

    Raises Refused: ``billing_off``, ``plan_granted``, ``invalid`` for a plan or price that is not on offer,
        ``already_subscribed``, ``too_many_in_flight``, ``too_many_today``, ``organisation_closed``.
    """
    offered = {offer.name: prices for offer, prices in _charging(application).plans.offered}
    prices = offered.get(plan, [])
    with application.control.autocommit() as connection:
        row = find_account(connection, caller.organisation_id)
        prices = [offer.price_id for offer in _offers(connection, prices)]
    if not prices or (price_id is not None and price_id not in prices):
        field = "plan" if not prices else "price"
        flaw = {"pointer": f"/{field}", "message": f"must be one of {', '.join(prices or offered)}"}
        raise Refused("invalid", errors=[flaw])
    if row is not None and row.status in ONGOING:
        raise Refused("already_subscribed")
    if row is not None and row.granted is not None:
        raise Refused("plan_granted")
    return _request(application, caller, OPEN_CHECKOUT, "checkout", price_id or prices[0], on_queued)


def request_portal(
    application: Application, caller: Caller, page: str = PORTAL_PAGES[0], on_queued: OnQueued = None
) -> JobView:
    """Request Stripe's portal, at one of `PORTAL_PAGES`.

    Raises Refused: ``billing_off``, ``billing_no_customer``, ``too_many_in_flight``, ``too_many_today``,
        ``organisation_closed``.
    """
    with _charging(application).control.autocommit() as connection:
        row = find_account(connection, caller.organisation_id)
    if row is None or row.customer_id is None:
        raise Refused("billing_no_customer")
    return _request(application, caller, OPEN_PORTAL, page, None, on_queued)


def request_sync(application: Application, caller: Caller, on_queued: OnQueued = None) -> JobView:
    """Request a sync with Stripe, such as on the way back from its pages.

    Raises Refused: ``billing_off``, ``too_many_in_flight``, ``too_many_today``, ``organisation_closed``.
    """
    return _request(_charging(application), caller, SYNC_BILLING, None, None, on_queued)


def read_link(application: Application, caller: Caller, link_id: str) -> LinkView:
    """A requested page; raises Refused ``not_found``."""
    query = select(LINK).where(
        LINK.c.id == link_id, LINK.c.organisation_id == caller.organisation_id, LINK.c.page != SUBSCRIPTION
    )
    with application.control.autocommit() as connection:
        row = connection.execute(query).first() if is_id(link_id) else None
    if row is None:
        raise Refused("not_found")
    if row.url is None:
        return LinkView(row.id, row.page, None, row.created_at)
    with application.tenants.read(caller.organisation_id) as tenant:
        return LinkView(row.id, row.page, tenant.sealer.open(row.url, LINK.name, "url", row.id), row.created_at)


def _charging(application: Application) -> Application:
    if not application.plans.charged:
        raise Refused("billing_off")
    return application


def _request(  # noqa: PLR0913 - what is requested, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    kind: Kind,
    page: str | None,
    price_id: str | None,
    on_queued: OnQueued,
) -> JobView:
    link_id = None if page is None else new_id()
    where = caller.organisation_id
    with application.control.begin() as session:
        count_usage(session, where, UsageLimits(kind, MOST_WAITING, MOST_A_DAY))
        if link_id is not None:
            row = {"id": link_id, "organisation_id": where, "page": page, "price_id": price_id, "created_at": now()}
            session.execute(insert(LINK).values(row))
        job = enqueue(
            session, application.notifier, kind, organisation_id=where, requested_by=caller.name, subject_id=link_id
        )
        if on_queued is not None:
            on_queued(session, job)
    return job


def _all_offers(connection: Connection, application: Application) -> Offers:
    return tuple((plan, tuple(_offers(connection, price_ids))) for plan, price_ids in application.plans.offered)


def _offers(connection: Connection, price_ids: list[str]) -> list[Offer]:
    """Those of the prices that can still be bought. An archived one stays in STRIPE_PRICES for whoever pays it."""
    rows = connection.execute(select(PRICE).where(PRICE.c.price_id.in_(price_ids)))
    known = {row.price_id: row for row in rows}
    return [
        Offer(price, row.amount, row.currency, row.interval, row.interval_count)
        if (row := known.get(price)) is not None
        else Offer(price)
        for price in price_ids
        if price not in known or known[price].active
    ]
