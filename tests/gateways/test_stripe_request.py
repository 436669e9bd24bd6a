"""What leaves for Stripe: captured by a real server and compared with what it may hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pigi.domain.stripe_api import API_VERSION
from pigi.domain.stripe_events import HANDLED
from pigi.errors import Temporary
from pigi.gateways.stripe_billing import StripeBilling
from pigi.ports.billing import CheckoutRequest
from tests.gateways.stripe_calls import CONTACT, KEY, gives, page, raw, serve

OURS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "authorization": f"Bearer {KEY}",
    "stripe-version": API_VERSION,
    "user-agent": "pigi",
}
CHECKOUT = CheckoutRequest("cus_1", "price_1", "org-1", "job-1", "https://pigi.example/done", "https://pigi.example/")


def test_a_write_has_the_headers_that_it_needs_and_no_other() -> None:
    with serve(gives({"id": "cus_1"})) as (billing, server):
        billing.update_customer("cus_1", CONTACT, "key-1")
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/v1/customers/cus_1")
        assert asked.parameters == {"name": CONTACT.name, "email": CONTACT.email}
        assert asked.headers == OURS | {
            "host": server.url.removeprefix("http://"),
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(asked.body)),
            "idempotency-key": "key-1",
        }


def test_a_read_has_fewer_headers_also_after_other_calls() -> None:
    answer = gives({"id": "cus_1"}, Set_Cookie="visitor=1; Path=/", Request_Id="req_1", Stripe_Notice="Hello")
    with serve(answer) as (billing, server):
        for _ in range(3):
            billing.read_customer("cus_1", CONTACT)
        host = server.url.removeprefix("http://")
        assert [asked.headers for asked in server.asked] == [OURS | {"host": host}] * 3
        assert {asked.target for asked in server.asked} == {"/v1/customers/cus_1"}


def test_calls_share_a_connection() -> None:
    with serve(gives({"id": "cus_1"})) as (billing, server):
        for _ in range(3):
            billing.read_customer("cus_1")
        assert server.connections == 1


def test_a_redirect_is_not_followed() -> None:
    with serve(gives({"id": "cus_1"})) as (_billing, elsewhere):
        moved = raw(307, b"", Location=elsewhere.url + "/v1/customers/cus_1")
        with serve(moved) as (billing, _server), pytest.raises(Temporary, match="billing_failed"):
            billing.read_customer("cus_1")
        assert elsewhere.asked == []


def test_without_an_address_it_goes_to_stripe() -> None:
    billing = StripeBilling(None, KEY)
    assert billing._v1.customers._requestor.base_addresses["api"] == "https://api.stripe.com"


def test_a_new_customer_is_the_same_request_for_the_same_organisation() -> None:
    with serve(gives({"id": "cus_1"})) as (billing, server):
        assert billing.create_customer("org-1", "key-1") == "cus_1"
        (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/customers")
    assert asked.parameters == {"metadata[organisation]": "org-1"}
    assert asked.headers["idempotency-key"] == "key-1"


def test_a_checkout_names_the_organisation_and_the_job_and_nobody() -> None:
    with serve(gives({"id": "cs_1", "url": "https://pay.example/cs_1"})) as (billing, server):
        made = billing.create_checkout(CHECKOUT, "key-1")
        (asked,) = server.asked
    assert (made.id, made.url) == ("cs_1", "https://pay.example/cs_1")
    assert "pay.example" not in repr(made)
    assert (asked.method, asked.path, asked.headers["idempotency-key"]) == ("POST", "/v1/checkout/sessions", "key-1")
    assert asked.parameters == {
        "mode": "subscription",
        "customer": "cus_1",
        "line_items[0][price]": "price_1",
        "line_items[0][quantity]": "1",
        "success_url": "https://pigi.example/done",
        "cancel_url": "https://pigi.example/",
        "client_reference_id": "org-1",
        "metadata[organisation]": "org-1",
        "metadata[job]": "job-1",
        "subscription_data[metadata][organisation]": "org-1",
        "allow_promotion_codes": "true",
        "billing_address_collection": "required",
        "customer_update[address]": "auto",
        "customer_update[name]": "never",
    }


def test_a_portal_opens_where_it_is_wanted_and_comes_back() -> None:
    with serve(gives({"id": "bps_1", "url": "https://portal.example/1"})) as (billing, server):
        billing.create_portal("cus_1", "https://pigi.example/", "key-1")
        billing.create_portal("cus_1", "https://pigi.example/", "key-2", payment_method=True)
        whole, part = server.asked
    plain = {"customer": "cus_1", "return_url": "https://pigi.example/"}
    assert whole.parameters == plain
    assert part.parameters == plain | {
        "flow_data[type]": "payment_method_update",
        "flow_data[after_completion][type]": "redirect",
        "flow_data[after_completion][redirect][return_url]": "https://pigi.example/",
    }
    assert [asked.headers["idempotency-key"] for asked in server.asked] == ["key-1", "key-2"]


def test_a_subscription_ends_at_once_and_without_a_bill() -> None:
    with serve(gives({"id": "sub_1"})) as (billing, server):
        billing.cancel_subscription("sub_1", "key-1")
        (asked,) = server.asked
    assert (asked.method, asked.path) == ("DELETE", "/v1/subscriptions/sub_1")
    assert asked.parameters == {"invoice_now": "false", "prorate": "false"}
    assert asked.headers["idempotency-key"] == "key-1"


def test_events_are_asked_for_by_all_heeded_sorts_at_once() -> None:
    with serve(page()) as (billing, server):
        assert list(billing.events_since(datetime(2026, 11, 1, tzinfo=UTC))) == []
        (asked,) = server.asked
    sorts = {value for name, value in asked.parameters.items() if name.startswith("types")}
    assert sorts == HANDLED
    # More than Stripe takes in one request would be refused (API reference, "List all events").
    assert len(HANDLED) <= 20
    assert asked.parameters["created[gte]"] == "1793491200"


def test_an_id_cannot_lead_elsewhere() -> None:
    with serve(gives({"id": "cus_1"})) as (billing, server):
        billing.read_customer("cus_1/../../v1/charges?limit=1")
        (asked,) = server.asked
    assert asked.target.startswith("/v1/customers/cus_1%2F")
