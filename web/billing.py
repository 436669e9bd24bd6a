"""Billing over HTTP: how an organisation stands, and asking for the pages at Stripe's where money is dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.domain.plans import Limit
from pigi.operations.billing import read_billing, read_link, request_checkout, request_portal, request_sync
from web.bodies import read_body
from web.repeats import ASKED, once
from web.replies import as_json, moment, reply
from web.routes import API, Answer, Kind, Route
from web.schemas import Nothing
from web.schemas.billing import Billing, BillingLink, CheckoutRequest, PortalRequest

if TYPE_CHECKING:
    from pigi.domain.plans import Plan
    from pigi.operations.billing import BillingView, Offer
    from web.call import Call
    from web.replies import Reply

OWN = f"{API}/organisations/<organisation>/billing"


def show_billing(call: Call) -> Reply:
    """The plan, what is used of it, and what can be bought. It is what Pigi knows; `sync` asks Stripe."""
    charged = call.application.plans.charged
    return reply(as_json({"charged": charged, **_standing(read_billing(call.application, call.caller))}))


def ask_for_checkout(call: Call) -> Reply:
    """Ask for the page on which a plan is bought. The answer is a job; its `links.result` is where the page will be."""
    asked = read_body(CheckoutRequest)
    return once(call, lambda decide: request_checkout(call.application, call.caller, asked.plan, asked.price, decide))


def ask_for_portal(call: Call) -> Reply:
    """Ask for Stripe's portal, where the plan, the means of payment and invoices are; as for a checkout."""
    asked = read_body(PortalRequest)
    return once(call, lambda decide: request_portal(call.application, call.caller, asked.page, decide))


def ask_for_sync(call: Call) -> Reply:
    """Have Stripe asked how the organisation stands."""
    read_body(Nothing)
    return once(call, lambda decide: request_sync(call.application, call.caller, decide))


def show_billing_link(call: Call, link: str) -> Reply:
    """A page that was asked for, for a day."""
    view = read_link(call.application, call.caller, link)
    shown = {"id": view.id, "page": view.page, "url": view.url, "created_at": moment(view.created_at)}
    return reply(as_json(shown))


def _standing(view: BillingView) -> dict[str, Any]:
    return {
        "plan": {"name": view.plan.name, "title": view.plan.title, "limits": _limits(view.plan)},
        "granted": view.granted,
        "status": view.status,
        "customer": view.customer,
        "wants_payment": view.wants_payment,
        "buys": view.buys,
        "read_at": moment(view.read_at),
        "use": {
            "members": view.use.members,
            "resources": view.use.resources,
            "generations_today": view.use.generations_today,
        },
        "offers": [
            {"plan": plan.name, "title": plan.title, "limits": _limits(plan), "prices": [_price(one) for one in prices]}
            for plan, prices in view.offers
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
ROUTES = (
    Route(
        "GET",
        OWN,
        show_billing,
        Action.BILLING_READ,
        Kind.READ,
        "Read the plan and its use",
        (Answer(200, "How the organisation stands", Billing),),
    ),
    Route(
        "POST",
        f"{OWN}/checkout",
        ask_for_checkout,
        Action.BILLING_CHANGE,
        Kind.CHANGE,
        "Buy a plan",
        ASKED,
        problems=(*_ASKING, "already_subscribed", "plan_granted"),
        body=CheckoutRequest,
    ),
    Route(
        "POST",
        f"{OWN}/portal",
        ask_for_portal,
        Action.BILLING_CHANGE,
        Kind.CHANGE,
        "Open Stripe's portal",
        ASKED,
        problems=(*_ASKING, "billing_no_customer"),
        body=PortalRequest,
    ),
    Route(
        "POST",
        f"{OWN}/sync",
        ask_for_sync,
        Action.BILLING_CHANGE,
        Kind.CHANGE,
        "Ask Stripe how the organisation stands",
        ASKED,
        problems=_ASKING,
        body=Nothing,
    ),
    Route(
        "GET",
        f"{OWN}/links/<link>",
        show_billing_link,
        Action.BILLING_CHANGE,
        Kind.READ,
        "Read the address of a page at Stripe's",
        (Answer(200, "The page", BillingLink),),
    ),
)
