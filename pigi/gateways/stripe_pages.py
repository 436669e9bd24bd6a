"""Stripe's own pages, on which people pay and change what they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.errors import Permanent
from pigi.gateways.stripe_answers import noted, read_page
from pigi.gateways.stripe_caller import StripeCaller, settle
from pigi.ports.billing import OpenCheckout

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.ports.billing import CheckoutRequest, Page


class Pages(StripeCaller):
    """`pigi.ports.billing.BillingProvider`, as far as Checkout and the customer portal go."""

    def create_checkout(self, request: CheckoutRequest, key: str) -> Page:
        return self._ask(
            lambda: self._v1.checkout.sessions.create(_checkout(request), {"idempotency_key": key}), read_page
        )

    def open_checkouts(self, customer_id: str) -> list[OpenCheckout]:
        params = {"customer": customer_id, "status": "open"}
        return list(self._every(self._v1.checkout.sessions.list, params, _open_checkout))

    def has_ended_checkout(self, customer_id: str, job_id: str, since: datetime) -> bool:
        params = {"customer": customer_id, "created": {"gte": int(since.timestamp())}}
        found = self._every(self._v1.checkout.sessions.list, params, _end)
        return any(ended and made_by == job_id for made_by, ended in found)

    def expire_checkout(self, checkout_id: str) -> None:
        _, failure = settle(lambda: self._v1.checkout.sessions.expire(checkout_id))
        if isinstance(failure, Permanent) and not self._can_be_paid(checkout_id):
            return
        if failure is not None:
            raise failure from None

    def _can_be_paid(self, checkout_id: str) -> bool:
        status = self._find(lambda: self._v1.checkout.sessions.retrieve(checkout_id), lambda value: value["status"])
        return status == "open"

    def create_portal(self, customer_id: str, return_url: str, key: str, *, payment_method: bool = False) -> Page:
        params: Any = {"customer": customer_id, "return_url": return_url}
        if payment_method:
            params["flow_data"] = _new_means_of_payment(return_url)
        return self._ask(lambda: self._v1.billing_portal.sessions.create(params, {"idempotency_key": key}), read_page)


def _checkout(request: CheckoutRequest) -> Any:
    """A subscription to one price. The country is asked for, since the billing log keeps it for the taxes.

    Pigi keeps the customer's name in step with the organisation's, so the page must not write another. That also
    rules out asking for a tax number, which writes both (docs.stripe.com, "Collect customer tax IDs with Checkout").
    """
    about = {"organisation": request.organisation_id}
    return {
        "mode": "subscription",
        "customer": request.customer_id,
        "line_items": [{"price": request.price_id, "quantity": 1}],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "client_reference_id": request.organisation_id,
        "metadata": {**about, "job": request.job_id},
        "subscription_data": {"metadata": about},
        "allow_promotion_codes": True,
        "billing_address_collection": "required",
        "customer_update": {"address": "auto", "name": "never"},
    }


def _new_means_of_payment(return_url: str) -> dict[str, Any]:
    return {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": return_url}},
    }


def _end(value: dict[str, Any]) -> tuple[str | None, bool]:
    """Which job made a checkout, and whether it can't be paid any more."""
    return noted(value, "job"), value["status"] != "open"


def _open_checkout(value: dict[str, Any]) -> OpenCheckout:
    page = read_page(value)
    return OpenCheckout(page.id, page.url, noted(value, "job"))
