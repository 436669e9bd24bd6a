"""What is wrong with an account's set-up, each fault alone."""

from __future__ import annotations

from typing import Any

import pytest

from pigi.domain.billing_findings import FINDINGS
from pigi.domain.stripe_api import API_VERSION, release_of
from pigi.domain.stripe_events import HANDLED
from pigi.errors import Temporary
from pigi.gateways.stripe_caller import PAGE
from tests.gateways.stripe_calls import Handler, gives, page, raw, refuses, serve

URL = "https://pigi.example/api/v1/webhooks/stripe"


def of_subscription(name: str, **metadata: str) -> dict[str, Any]:
    details = {"subscription": name, "metadata": metadata}
    return {"parent": {"type": "subscription_details", "subscription_details": details}}


OURS, STRANGERS = of_subscription("sub_1", organisation="org-1"), of_subscription("sub_1", other="x")
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
    "enabled_events": sorted(HANDLED),
    "api_version": API_VERSION,
}
THIN = {
    "id": "ed_1",
    "object": "v2.core.event_destination",
    "type": "webhook_endpoint",
    "event_payload": "thin",
    "status": "enabled",
    "enabled_events": [f"v1.{sort}" for sort in HANDLED],
    "webhook_endpoint": {"url": URL},
}
ON = {"enabled": True}
PORTAL = {
    "id": "bpc_1",
    "object": "billing_portal.configuration",
    "features": dict.fromkeys(
        ("subscription_cancel", "subscription_update", "payment_method_update", "invoice_history"), ON
    ),
}
PAID = {"id": "in_1", "object": "invoice", "amount_paid": 100, "receipt_number": "1234-5678", **OURS}
SILENT = {**PAID, "receipt_number": None}
TRIED = {
    "id": "in_2",
    "object": "invoice",
    "attempt_count": 1,
    "next_payment_attempt": None,
    **OURS,
}
LATE = {"id": "sub_1", "object": "subscription"}
GOOD: dict[str, Any] = {
    "/v1/prices/price_1": gives(PRICE),
    "/v1/webhook_endpoints": page({**ENDPOINT, "id": "we_2", "url": "https://other.example/"}, ENDPOINT),
    "/v2/core/event_destinations": gives({"data": [], "next_page_url": None, "previous_page_url": None}),
    "/v1/billing_portal/configurations": page(PORTAL),
    "paid": page({**SILENT, "amount_paid": 0}, PAID),
    "open": page({**TRIED, "next_payment_attempt": 1793491200}),
    "/v1/subscriptions": page(LATE),
}


def findings(*, live: bool = True, **changes: Any) -> list[str]:
    """What is found when the answers by these names are others."""
    answers = GOOD | {_PATHS[name]: answer for name, answer in changes.items()}

    def behave(handler: Handler) -> None:
        (*_, asked) = handler.server.asked
        place = asked.parameters["status"] if asked.path == "/v1/invoices" else asked.path
        answers[place](handler)

    with serve(behave) as (billing, _server):
        return billing.findings(URL, ["price_1"], live=live)


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
    ("webhooks", page({**ENDPOINT, "enabled_events": [*HANDLED, "charge.failed"]}), []),
    ("webhooks", page({**ENDPOINT, "enabled_events": sorted(HANDLED)[1:]}), ["webhook_events"]),
    ("webhooks", page({**ENDPOINT, "api_version": None}), ["webhook_version"]),
    ("webhooks", page({**ENDPOINT, "api_version": "2025-03-31.basil"}), ["webhook_version"]),
    ("webhooks", page({**ENDPOINT, "api_version": "2024-06-20"}), ["webhook_version"]),
    ("webhooks", page({**ENDPOINT, "api_version": f"2026-11-25.{release_of(API_VERSION)}"}), []),
    ("webhooks", page({**ENDPOINT, "api_version": None}, ENDPOINT), []),
    ("webhooks", page({**ENDPOINT, "api_version": None, "enabled_events": []}), ["webhook_events", "webhook_version"]),
    ("portals", page(), ["portal_missing"]),
    ("portals", page(without("subscription_cancel")), ["portal_features"]),
    ("portals", page(without("subscription_update")), ["portal_features"]),
    ("portals", page(without("payment_method_update")), ["portal_features"]),
    ("portals", page(without("invoice_history")), ["portal_features"]),
    ("paid", page(), []),
    ("paid", page({**SILENT, "amount_paid": 0}), []),
    ("paid", page(SILENT, PAID), ["receipts_off"]),
    ("paid", page({**SILENT, **STRANGERS}, PAID), []),
    ("paid", page({**SILENT, "parent": None}, SILENT), ["receipts_off"]),
    ("paid", page(PAID, SILENT), []),
    ("open_ones", page(TRIED), ["dunning_off"]),
    ("open_ones", page({**TRIED, "attempt_count": 0}), []),
    ("open_ones", page({**TRIED, "parent": None}), []),
    ("open_ones", page({**TRIED, **STRANGERS}), []),
    ("open_ones", page({**TRIED, **of_subscription("sub_2", organisation="org-2")}), []),
    *(
        (name, refuses(status), [f"unchecked_{part}"])
        for status in (401, 403)
        for name, part in {
            "price": "prices",
            "webhooks": "webhook",
            "portals": "portal",
            "paid": "invoices",
            "open_ones": "invoices",
        }.items()
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


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_account_without_the_second_api_or_a_key_without_right_to_it_has_no_endpoint_there(status: int) -> None:
    assert findings(webhooks=page(), destinations=refuses(status)) == ["webhook_missing"]


def test_the_second_apis_failure_is_no_answer() -> None:
    with pytest.raises(Temporary):
        findings(webhooks=page(), destinations=raw(503, b""))


def test_without_real_money_no_receipts_are_missed() -> None:
    assert findings(live=False, paid=page(SILENT)) == []


def test_of_a_strangers_invoices_a_handful_of_pages_is_read() -> None:
    many = page(*[{**SILENT, **TRIED, **STRANGERS}] * PAGE, more=True)
    asked: list[str] = []

    def strangers(handler: Handler) -> None:
        asked.append(handler.path)
        many(handler)

    assert findings(paid=strangers, open_ones=strangers) == []
    assert len(asked) == 10


def test_every_finding_can_be_found() -> None:
    of_customers = {"subscribed_twice"}  # by reconciliation, which has their subscriptions at hand
    assert {code for _, _, codes in FOUND for code in codes} == FINDINGS.keys() - of_customers
