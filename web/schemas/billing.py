"""Billing as it is asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from web.schemas import Asked, Id, Told

PageName = Literal["portal", "payment-method"]


class CheckoutRequest(Asked):
    """Buy a plan at one of its prices, as `offers` lists them: the first if none is named."""

    plan: Literal["team", "business"]
    price: str | None = Field(None, min_length=1, max_length=80)


class PortalRequest(Asked):
    """Open Stripe's portal: all of it, or only the page for another means of payment."""

    page: PageName = "portal"


class StripeEvent(BaseModel):
    """An event of Stripe's, a snapshot or a thin one; most of it is ignored."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["event", "v2.core.event"]
    type: str
    livemode: bool


class Received(Told):
    """Nothing more need be sent."""

    received: Literal[True]


class Limits(Told):
    """What a plan allows; null is without limit. Whoever is invited counts as a member."""

    members: int | None = Field(ge=0)
    resources: int | None = Field(ge=0)
    generations_a_day: int | None = Field(ge=0)
    log_days: int | None = Field(ge=0)


class CurrentPlan(Told):
    """The plan that applies."""

    name: str
    title: str
    limits: Limits


class UsedOfPlan(Told):
    """What is used, as the limits count it."""

    members: int = Field(ge=0)
    resources: int = Field(ge=0)
    generations_today: int = Field(ge=0)


class PriceOnOffer(Told):
    """What a plan costs, in the currency's smallest unit; null as long as Stripe has not been asked."""

    id: str
    amount: int | None
    currency: str | None
    interval: str | None
    interval_count: int = Field(ge=1)


class PlanOnOffer(Told):
    """A plan that can be bought."""

    plan: str
    title: str
    limits: Limits
    prices: list[PriceOnOffer]


class Billing(Told):
    """How an organisation stands, as Stripe said it at ``read_at``."""

    charged: bool = Field(description="Whether this installation charges anybody.")
    plan: CurrentPlan
    granted: bool = Field(description="Whether an operator gave the plan.")
    status: str = Field(description="Stripe's word for the subscription; `none` without one.")
    customer: bool = Field(description="Whether there is something to manage in Stripe's portal.")
    wants_payment: bool = Field(description="Whether a payment is late, or the first was never made.")
    buys: bool = Field(description="Whether a plan can be bought now; otherwise it is changed in Stripe's portal.")
    read_at: datetime | None
    use: UsedOfPlan
    offers: list[PlanOnOffer]


class BillingLink(Told):
    """A page at Stripe's; ``url`` is null until its job has opened it. It opens for whoever has it."""

    id: Id
    page: Literal["checkout", "portal", "payment-method"]
    url: str | None
    created_at: datetime
