"""Billing over HTTP: the plan and its use, pages at Stripe, and Stripe's webhook."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from flask import request
from pydantic import BaseModel, ConfigDict, Field

from pigi.domain.access import Action
from pigi.domain.plans import Limit
from pigi.domain.stripe_api import WEBHOOK_PATH
from pigi.operations.billing import (
    may_open_invoices,
    read_billing,
    read_link,
    receive_webhook,
    request_checkout,
    request_portal,
    request_sync,
)
from web.http.replies import API, as_json, moment, reply
from web.http.requests import read_body, read_bytes
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel

if TYPE_CHECKING:
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.jobs.model.view import JobView
    from pigi.operations.billing import BillingView, Offer, Subscribed
    from web.http.context import OrganisationContext, RequestContext
    from web.http.replies import Reply

PageName = Literal["portal", "payment-method"]


class CheckoutRequest(RequestModel):
    """Buy a plan at one of its prices, as `offers` lists them: the first if none is named."""

    plan: Literal["team", "business"]
    price: str | None = Field(None, min_length=1, max_length=80)


class PortalRequest(RequestModel):
    """Open Stripe's portal: all of it, or only the page for another means of payment."""

    page: PageName = "portal"


class StripeEvent(BaseModel):
    """An event of Stripe's, a snapshot or a thin one; most of it is ignored."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["event", "v2.core.event"]
    type: str
    livemode: bool


class Received(ResponseModel):
    """Nothing more need be sent."""

    received: Literal[True]


class Limits(ResponseModel):
    """What a plan allows; null is without limit. Whoever is invited counts as a member."""

    members: int | None = Field(ge=0)
    resources: int | None = Field(ge=0)
    generations_a_day: int | None = Field(ge=0)
    log_days: int | None = Field(ge=0)
    bytes: int | None = Field(ge=0, description="Stored configuration, archived or not, with all its revisions.")
    writes_a_day: int | None = Field(ge=0, description="Changes of configuration in a day (UTC).")


class CurrentPlan(ResponseModel):
    """The plan that applies."""

    name: str
    title: str
    limits: Limits


class UsedOfPlan(ResponseModel):
    """What is used, as the limits count it."""

    members: int = Field(ge=0)
    resources: int = Field(ge=0)
    generations_today: int = Field(ge=0)
    bytes: int = Field(ge=0)
    writes_today: int = Field(ge=0)


class PriceOnOffer(ResponseModel):
    """What a plan costs, in the currency's smallest unit; null as long as Stripe has not been asked."""

    id: str
    amount: int | None
    currency: str | None
    interval: str | None
    interval_count: int = Field(ge=1)


class PlanOnOffer(ResponseModel):
    """A plan that can be bought."""

    plan: str
    title: str
    limits: Limits
    prices: list[PriceOnOffer]


class InvoiceOfStripe(ResponseModel):
    """An invoice; `amount` in the currency's smallest unit. Its page opens for whoever has the address."""

    created_at: datetime
    amount: int
    currency: str
    status: str = Field(description="Stripe's word for it.")
    url: str | None = Field(description="Where it can be read; null for one without a page.")


class SubscriptionOfStripe(ResponseModel):
    """What was bought and when it goes on or ends, as Stripe said it at `read_at`."""

    read_at: datetime
    price: str | None
    renews_at: datetime | None = Field(description="When it is charged for next; null if it ends instead.")
    ends_at: datetime | None = Field(description="When it ends, after somebody cancelled it.")
    invoices: list[InvoiceOfStripe] = Field(description="The newest, for owners; empty for others.")


class Billing(ResponseModel):
    """How an organisation stands, as Stripe said it at ``read_at``."""

    charged: bool = Field(description="Whether this installation charges anybody.")
    plan: CurrentPlan
    granted: bool = Field(description="Whether an operator gave the plan.")
    status: str = Field(description="Stripe's word for the subscription; `none` without one.")
    customer: bool = Field(description="Whether there is something to manage in Stripe's portal.")
    wants_payment: bool = Field(description="Whether a payment is late, or the first was never made.")
    buys: bool = Field(description="Whether a plan can be bought now; otherwise it is changed in Stripe's portal.")
    read_at: datetime | None
    subscription: SubscriptionOfStripe | None = Field(
        description="Null until a job of `sync` has asked Stripe, and again ten minutes later: it is not kept."
    )
    use: UsedOfPlan
    offers: list[PlanOnOffer]


class BillingLink(ResponseModel):
    """A page at Stripe's; ``url`` is null until its job has opened it. It opens for whoever has it."""

    id: Id
    page: Literal["checkout", "portal", "payment-method"]
    url: str | None
    created_at: datetime


OWN = f"{API}/organisations/<organisation>/billing"


def show_billing(context: OrganisationContext) -> Reply:
    """The plan, what is used of it, and what can be bought. It is what Pigi knows; `sync` asks Stripe."""
    view, charged = read_billing(context.application, context.caller), context.application.plans.charged
    return reply(as_json({"charged": charged, **_billing_facts(context.caller, view)}))


def ask_for_checkout(context: OrganisationContext) -> JobView:
    """Ask for the page on which a plan is bought. The answer is a job; its `links.result` is where the page will be."""
    body = read_body(CheckoutRequest)
    return request_checkout(context.application, context.caller, body.plan, body.price, context.record_job)


def ask_for_portal(context: OrganisationContext) -> JobView:
    """Ask for Stripe's portal, where the plan, the means of payment and invoices are; as for a checkout."""
    body = read_body(PortalRequest)
    return request_portal(context.application, context.caller, body.page, context.record_job)


def ask_for_sync(context: OrganisationContext) -> JobView:
    """Have Stripe asked how the organisation stands."""
    read_body(Nothing)
    return request_sync(context.application, context.caller, context.record_job)


def show_billing_link(context: OrganisationContext, link: str) -> Reply:
    """A page that was asked for, for a day."""
    view = read_link(context.application, context.caller, link)
    shown = {"id": view.id, "page": view.page, "url": view.url, "created_at": moment(view.created_at)}
    return reply(as_json(shown))


def _billing_facts(caller: Caller, view: BillingView) -> dict[str, Any]:
    return {
        "plan": {"name": view.plan.name, "title": view.plan.title, "limits": _limits(view.plan)},
        "granted": view.granted,
        "status": view.status,
        "customer": view.customer,
        "wants_payment": view.wants_payment,
        "buys": view.buys,
        "read_at": moment(view.read_at),
        "subscription": view.subscribed and _subscription(view.subscribed, with_invoices=may_open_invoices(caller)),
        "use": {
            "members": view.use.members,
            "resources": view.use.resources,
            "generations_today": view.use.generations_today,
            "bytes": view.use.bytes,
            "writes_today": view.use.writes_today,
        },
        "offers": [
            {"plan": plan.name, "title": plan.title, "limits": _limits(plan), "prices": [_price(one) for one in prices]}
            for plan, prices in view.offers
        ],
    }


def _subscription(told: Subscribed, *, with_invoices: bool) -> dict[str, Any]:
    return {
        "read_at": moment(told.read_at),
        "price": told.price_id,
        "renews_at": moment(told.renews_at),
        "ends_at": moment(told.ends_at),
        "invoices": [
            {
                "created_at": moment(one.created_at),
                "amount": one.amount,
                "currency": one.currency,
                "status": one.status,
                "url": one.url,
            }
            for one in (told.invoices if with_invoices else ())
        ],
    }


def _limits(plan: Plan) -> dict[str, int | None]:
    return {limit.value: plan.most(limit) for limit in Limit}


def _price(offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.price_id,
        "amount": offer.amount,
        "currency": offer.currency,
        "interval": offer.interval,
        "interval_count": offer.interval_count,
    }


_ASKING = ("billing_off", "too_many_in_flight", "too_many_today", "organisation_closed")

MOST_BYTES = 1024 * 1024
"""Snapshots hold a whole object: an invoice with all its lines has some hundred KiB."""
RECEIVED = as_json({"received": True})


def hear_stripe(context: RequestContext) -> Reply:
    """Take an event that Stripe has signed. The same event again is answered alike, and counts once."""
    receive_webhook(context.application, read_bytes(), request.headers.get("Stripe-Signature", ""))
    return reply(RECEIVED)


ROUTES = (
    Route(
        "GET",
        OWN,
        show_billing,
        Action.BILLING_READ,
        RouteKind.READ,
        "Read the plan and its use",
        (ResponseSpec(200, "How the organisation stands", Billing),),
    ),
    Route(
        "POST",
        f"{OWN}/checkout",
        ask_for_checkout,
        Action.BILLING_CHANGE,
        RouteKind.JOB,
        "Buy a plan",
        JOB_RESPONSES,
        problems=(*_ASKING, "already_subscribed", "plan_granted"),
        body=CheckoutRequest,
    ),
    Route(
        "POST",
        f"{OWN}/portal",
        ask_for_portal,
        Action.BILLING_CHANGE,
        RouteKind.JOB,
        "Open Stripe's portal",
        JOB_RESPONSES,
        problems=(*_ASKING, "billing_no_customer"),
        body=PortalRequest,
    ),
    Route(
        "POST",
        f"{OWN}/sync",
        ask_for_sync,
        Action.BILLING_CHANGE,
        RouteKind.JOB,
        "Ask Stripe how the organisation stands",
        JOB_RESPONSES,
        problems=_ASKING,
        body=Nothing,
    ),
    Route(
        "GET",
        f"{OWN}/links/<link>",
        show_billing_link,
        Action.BILLING_CHANGE,
        RouteKind.READ,
        "Read the address of a page at Stripe's",
        (ResponseSpec(200, "The page", BillingLink),),
    ),
    Route(
        "POST",
        WEBHOOK_PATH,
        hear_stripe,
        Who.ANYONE,
        RouteKind.WEBHOOK,
        "Hear an event of Stripe's",
        (ResponseSpec(200, "Heard, or of no interest", Received),),
        problems=("webhook_refused", "not_found"),
        body=StripeEvent,
        most_bytes=MOST_BYTES,
        accepts=("Stripe-Signature",),
        notes="There is no such address where nobody is charged.",
    ),
)
