"""What is wrong with the account's set-up, seen through the API alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.stripe_api import API_VERSION, release_of
from pigi.domain.stripe_events import HANDLED
from pigi.errors import Permanent
from pigi.gateways.stripe_answers import id_of, noted
from pigi.gateways.stripe_caller import PAGE
from pigi.gateways.stripe_money import StripeMoney, subscription_details, subscription_of
from pigi.ports.billing import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FEATURES: Final = ("subscription_cancel", "subscription_update", "payment_method_update", "invoice_history")
_LOOKED_AT: Final = 5 * PAGE
"""The newest of a list that are looked at for one of Pigi's: an account may be shared, and have any number."""


class SetUp(StripeMoney):
    """`pigi.ports.billing.BillingProvider.findings`."""

    def findings(self, webhook_url: str, price_ids: Sequence[str], *, live: bool) -> list[str]:
        parts = (
            ("unchecked_prices", self._about_prices(price_ids)),
            ("unchecked_webhook", self._about_the_webhook(webhook_url)),
            ("unchecked_portal", self._about_the_portal()),
            ("unchecked_invoices", self._about_invoices(live=live)),
        )
        return [code for unchecked, look in parts for code in _if_allowed(look, unchecked)]

    def _about_prices(self, price_ids: Sequence[str]) -> Iterator[str]:
        found = self.prices(price_ids)
        if len(found) < len(price_ids):
            yield "price_missing"
        if not all(price.interval for price in found):
            yield "price_unusable"

    def _about_the_webhook(self, url: str) -> Iterator[str]:
        """Of several endpoints for the address, as while one replaces another, the best counts."""
        known = self._every(self._v1.webhook_endpoints.list, {}, _endpoint)
        ours = [found.faults for found in known if found.url == url]
        if [] not in ours:
            ours += [found.faults for found in self._thin_endpoints() if found.url == url]
        yield from min(ours, key=len, default=["webhook_missing"])

    def _thin_endpoints(self) -> list[_Endpoint]:
        """Those of thin events, which only the second API knows; it gives more at once than an account may have."""
        params: Any = {"limit": PAGE, "include": ["webhook_endpoint.url"]}
        try:
            return self._ask(lambda: self._v2.core.event_destinations.list(params), _read_thin_endpoints)
        except (Permanent, NotAllowed):
            return []  # not every account has the second API, and a key for snapshots alone needs no right to it

    def _about_the_portal(self) -> Iterator[str]:
        params = {"active": True, "is_default": True}
        complete = list(self._every(self._v1.billing_portal.configurations.list, params, _complete))
        if not complete:
            yield "portal_missing"
        elif not any(complete):
            yield "portal_features"

    def _about_invoices(self, *, live: bool) -> Iterator[str]:
        if live:
            yield from self._about_receipts()
        yield from self._about_dunning()

    def _about_receipts(self) -> Iterator[str]:
        """Whether receipts are mailed is in no answer; the number that each mailed one has, is."""
        paid = islice(self._every(self._v1.invoices.list, {"status": "paid"}, _receipt), _LOOKED_AT)
        if not next((numbered for due, numbered in paid if due), True):
            yield "receipts_off"

    def _about_dunning(self) -> Iterator[str]:
        unpaid = islice(self._every(self._v1.invoices.list, {"status": "open"}, _given_up), _LOOKED_AT)
        given_up = {subscription for subscription in unpaid if subscription}
        if not given_up:
            return
        late = islice(self._every(self._v1.subscriptions.list, {"status": "past_due"}, id_of), _LOOKED_AT)
        if any(subscription in given_up for subscription in late):
            yield "dunning_off"


def _if_allowed(look: Iterator[str], unchecked: str) -> list[str]:
    """What a look finds; that it did not happen if the key has no right to it."""
    try:
        return list(look)
    except NotAllowed:
        return [unchecked]


@dataclass(frozen=True)
class _Endpoint:
    """Where events go; ``url`` is None while none are sent there."""

    url: str | None
    faults: list[str]


def _endpoint(value: dict[str, Any]) -> _Endpoint:
    # No version is the account's default, which somebody may change without thinking of Pigi.
    fits = release_of(value["api_version"]) == release_of(API_VERSION)
    faults = [*_unheard(value["enabled_events"]), *([] if fits else ["webhook_version"])]
    return _Endpoint(value["url"] if value["status"] == "enabled" else None, faults)


def _read_thin_endpoints(page: dict[str, Any]) -> list[_Endpoint]:
    """Thin events have no version."""
    return [
        _Endpoint(
            value["webhook_endpoint"]["url"], _unheard([name.removeprefix("v1.") for name in value["enabled_events"]])
        )
        for value in page["data"]
        if (value["event_payload"], value["type"], value["status"]) == ("thin", "webhook_endpoint", "enabled")
    ]


def _unheard(events: Sequence[str]) -> list[str]:
    return [] if "*" in events or HANDLED.issubset(events) else ["webhook_events"]


def _complete(configuration: dict[str, Any]) -> bool:
    return all(configuration["features"][feature]["enabled"] for feature in _FEATURES)


def _receipt(invoice: dict[str, Any]) -> tuple[bool, bool]:
    """Whether it is one of Pigi's for which money moved, and whether there is a receipt."""
    return _is_ours(invoice) and int(invoice["amount_paid"]) > 0, invoice.get("receipt_number") is not None


def _given_up(invoice: dict[str, Any]) -> str | None:
    """The subscription of an invoice of Pigi's that was tried and is not tried again; None for any other."""
    tried = int(invoice["attempt_count"]) > 0 and invoice["next_payment_attempt"] is None
    return subscription_of(invoice) if tried and _is_ours(invoice) else None


def _is_ours(invoice: dict[str, Any]) -> bool:
    """Whether Pigi's checkout made the subscription, whose metadata each of its invoices has a copy of."""
    return noted(subscription_details(invoice), "organisation") is not None
