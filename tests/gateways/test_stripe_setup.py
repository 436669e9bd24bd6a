"""What is wrong with an account's set-up, each fault alone."""

from __future__ import annotations

from typing import Any

import pytest

from pigi.domain.billing_findings import FINDINGS
from pigi.domain.stripe_api import API_VERSION
from pigi.domain.stripe_events import HEEDED
from pigi.errors import Temporary
from tests.gateways.stripe_calls import Handler, gives, page, raw, refuses, serve

URL = "https://pigi.example/api/v1/webhooks/stripe"
OF_SUBSCRIPTION = {"parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}}
PRICE = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "currency": "eur",
    "unit_amount": 1,
    "recurring": {"interval": "month", "interval_count": 1},
}
ENDPOINT = {
    "id": "we_1",
    "object": "webhook_endpoint",
    "url": URL,
    "status": "enabled",
    "enabled_events": sorted(HEEDED),
    "api_version": API_VERSION,
}
THIN = {
    "id": "ed_1",
    "object": "v2.core.event_destination",
    "type": "webhook_endpoint",
    "event_payload": "thin",
    "status": "enabled",
    "enabled_events": [f"v1.{sort}" for sort in HEEDED],
    "webhook_endpoint": {"url": URL},
}
ON = {"enabled": True}
PORTAL = {
    "id": "bpc_1",
    "object": "billing_portal.configuration",
    "features": {"subscription_cancel": ON, "subscription_update": ON, "payment_method_update": ON},
}
PAID = {"id": "in_1", "object": "invoice", "amount_paid": 100, "receipt_number": "1234-5678"}
TRIED = {
    "id": "in_2",
    "object": "invoice",
    "attempt_count": 1,
    "next_payment_attempt": None,
    **OF_SUBSCRIPTION,
}
LATE = {"id": "sub_1", "object": "subscription"}
GOOD: dict[str, Any] = {
    "/v1/prices/price_1": gives(PRICE),
    "/v1/webhook_endpoints": page({**ENDPOINT, "id": "we_2", "url": "https://other.example/"}, ENDPOINT),
    "/v2/core/event_destinations": gives({"data": [], "next_page_url": None, "previous_page_url": None}),
    "/v1/billing_portal/configurations": page(PORTAL),
    "paid": page({**PAID, "amount_paid": 0, "receipt_number": None}, PAID),
    "open": page({**TRIED, "next_payment_attempt": 1793491200}),
    "/v1/subscriptions": page(LATE),
}


def findings(**changes: Any) -> list[str]:
    """What is found when the answers by these names are others."""
    answers = GOOD | {_PATHS[name]: answer for name, answer in changes.items()}

    def behave(handler: Handler) -> None:
        (*_, asked) = handler.server.asked
        place = asked.parameters["status"] if asked.path == "/v1/invoices" else asked.path
        answers[place](handler)

    with serve(behave) as (billing, _server):
        return billing.findings(URL, ["price_1"])


_PATHS = {
    "price": "/v1/prices/price_1",
    "webhooks": "/v1/webhook_endpoints",
    "destinations": "/v2/core/event_destinations",
    "portals": "/v1/billing_portal/configurations",
    "paid": "paid",
    "open_ones": "open",
    "late": "/v1/subscriptions",
}


def test_a_good_set_up_has_nothing_to_find() -> None:
    assert findings() == []


def without(feature: str) -> dict[str, Any]:
    return {**PORTAL, "features": {**PORTAL["features"], feature: {"enabled": False}}}


FOUND = [
    ("price", refuses(404, "resource_missing"), ["price_missing"]),
    ("price", gives({**PRICE, "active": False}), []),
    ("price", gives({**PRICE, "recurring": None}), ["price_unusable"]),
    ("webhooks", page(), ["webhook_missing"]),
    ("webhooks", page({**ENDPOINT, "status": "disabled"}), ["webhook_missing"]),
    ("webhooks", page({**ENDPOINT, "url": URL + "/"}), ["webhook_missing"]),
    ("webhooks", page({**ENDPOINT, "enabled_events": ["*"]}), []),
    ("webhooks", page({**ENDPOINT, "enabled_events": [*HEEDED, "charge.failed"]}), []),
    ("webhooks", page({**ENDPOINT, "enabled_events": sorted(HEEDED)[1:]}), ["webhook_events"]),
    ("webhooks", page({**ENDPOINT, "api_version": None}), ["webhook_version"]),
    ("webhooks", page({**ENDPOINT, "api_version": "2025-03-31.basil"}), ["webhook_version"]),
    ("webhooks", page({**ENDPOINT, "api_version": None}, ENDPOINT), []),
    ("webhooks", page({**ENDPOINT, "api_version": None, "enabled_events": []}), ["webhook_events", "webhook_version"]),
    ("portals", page(), ["portal_missing"]),
    ("portals", page(without("subscription_cancel")), ["portal_features"]),
    ("portals", page(without("subscription_update")), ["portal_features"]),
    ("portals", page(without("payment_method_update")), ["portal_features"]),
    ("paid", page(), []),
    ("paid", page({**PAID, "amount_paid": 0, "receipt_number": None}), []),
    ("paid", page({**PAID, "receipt_number": None}, PAID), ["receipts_off"]),
    ("paid", page(PAID, {**PAID, "receipt_number": None}), []),
    ("open_ones", page(TRIED), ["dunning_off"]),
    ("open_ones", page({**TRIED, "attempt_count": 0}), []),
    ("open_ones", page({**TRIED, "parent": None}), []),
    (
        "open_ones",
        page({**TRIED, "parent": {"subscription_details": {"subscription": "sub_2"}}}),
        [],
    ),
]


@pytest.mark.parametrize(("name", "answer", "found"), FOUND)
def test_each_fault_of_the_set_up_is_found(name: str, answer: Any, found: list[str]) -> None:
    assert findings(**{name: answer}) == found


THIN_ONES = [
    (THIN, []),
    ({**THIN, "enabled_events": ["*"]}, []),
    ({**THIN, "enabled_events": ["v1.invoice.paid"]}, ["webhook_events"]),
    ({**THIN, "status": "disabled"}, ["webhook_missing"]),
    ({**THIN, "event_payload": "snapshot"}, ["webhook_missing"]),
    ({**THIN, "type": "amazon_eventbridge", "webhook_endpoint": None}, ["webhook_missing"]),
]


@pytest.mark.parametrize(("destination", "found"), THIN_ONES)
def test_an_endpoint_of_thin_events_will_do(destination: dict[str, Any], found: list[str]) -> None:
    known = gives({"data": [destination], "next_page_url": None, "previous_page_url": None})
    assert findings(webhooks=page(), destinations=known) == found


def test_an_account_without_the_second_api_has_no_endpoint_there() -> None:
    assert findings(webhooks=page(), destinations=refuses(404)) == ["webhook_missing"]
    with pytest.raises(Temporary):
        findings(webhooks=page(), destinations=raw(503, b""))


def test_every_finding_can_be_found() -> None:
    assert {code for _, _, codes in FOUND for code in codes} == FINDINGS.keys()
