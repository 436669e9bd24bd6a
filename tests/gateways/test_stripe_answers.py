"""What is made of Stripe's answers that are hard to bring about: amounts, and what is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from stripe.events import _event_classes
from stripe.params import WebhookEndpointCreateParams
from stripe.v2.core._event import UnknownEventNotification

from pigi.domain.stripe_events import HANDLED, LOGGED, StripeEvent
from pigi.errors import Permanent, Temporary
from pigi.ports.billing import Contact, Money
from tests.gateways.stripe_calls import gives, page, refuses, serve

GONE = refuses(404, "resource_missing")
WHEN = datetime(2026, 11, 1, tzinfo=UTC)
INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "amount_due": 4900,
    "amount_paid": 4000,
    "currency": "eur",
    "customer_address": {"country": "DE", "city": "Berlin", "line1": "page-marker-7784"},
    "customer_email": "mail-marker-7783@example.com",
    "status": "paid",
}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 900,
    "currency": "eur",
    "charge": {
        "id": "ch_1",
        "object": "charge",
        "customer": "cus_1",
        "amount": 4900,
        "billing_details": {"address": {"country": "FR"}, "name": "name-marker-7782"},
    },
}


def event(sort: str, about: str | None = "in_1") -> StripeEvent:
    return StripeEvent("evt_1", sort, WHEN, livemode=False, customer_id="cus_1", object_id=about)


DISPUTE = {**REFUND, "id": "du_1", "object": "dispute", "amount": 4900, "payment_intent": "pi_1"}
PAYMENT = {"id": "inpay_1", "object": "invoice_payment", "invoice": {**INVOICE, "id": "in_7"}}
MONEY = [
    ("invoice.paid", INVOICE, Money("cus_1", "in_1", 4000, "eur", "DE", "paid")),
    ("invoice.payment_failed", INVOICE, Money("cus_1", "in_1", 4900, "eur", "DE", "failed")),
    ("invoice.voided", INVOICE, Money("cus_1", "in_1", 4900, "eur", "DE", "void")),
    ("invoice.marked_uncollectible", INVOICE, Money("cus_1", "in_1", 4900, "eur", "DE", "uncollectible")),
    ("refund.created", REFUND, Money("cus_1", None, -900, "eur", "FR", "refunded")),
    ("refund.failed", REFUND, Money("cus_1", None, 900, "eur", "FR", "refund_failed")),
    ("charge.dispute.funds_withdrawn", DISPUTE, Money("cus_1", "in_7", -4900, "eur", "DE", "disputed")),
    ("charge.dispute.funds_reinstated", DISPUTE, Money("cus_1", "in_7", 4900, "eur", "DE", "reinstated")),
]


@pytest.mark.parametrize(("sort", "found", "money"), MONEY)
def test_an_events_money_is_its_moments(sort: str, found: dict[str, Any], money: Money) -> None:
    with serve(gives(found), page(PAYMENT)) as (billing, _server):
        assert billing.money_of(event(sort, found["id"])) == money


TAKING_BACK = [
    ("refund.created", "/v1/refunds/re_1", "refunded"),
    ("charge.dispute.funds_withdrawn", "/v1/disputes/re_1", "disputed"),
]


@pytest.mark.parametrize(("sort", "path", "status"), TAKING_BACK)
def test_what_is_taken_back_is_taken_from_the_invoice_of_its_payment(sort: str, path: str, status: str) -> None:
    charge = {**REFUND["charge"], "payment_intent": "pi_1"}
    with serve(gives({**REFUND, "charge": charge}), page(PAYMENT)) as (billing, server):
        money = billing.money_of(event(sort, "re_1"))
        first, second = server.asked
    assert money == Money("cus_1", "in_7", -900, "eur", "DE", status)
    assert (first.path, first.parameters) == (path, {"expand[0]": "charge"})
    wanted = {"payment[type]": "payment_intent", "payment[payment_intent]": "pi_1", "expand[0]": "data.invoice"}
    assert (second.path, second.parameters) == ("/v1/invoice_payments", {**wanted, "limit": "100"})


def test_what_no_invoice_was_for_is_taken_back_where_the_payer_said_to_live() -> None:
    with serve(gives({**REFUND, "payment_intent": "pi_1"}), page()) as (billing, _server):
        assert billing.money_of(event("refund.created", "re_1")) == Money("cus_1", None, -900, "eur", "FR", "refunded")


def test_a_refund_without_a_charge_is_whose_it_says_or_its_payment_does() -> None:
    lone = {**REFUND, "charge": None, "payment_intent": "pi_1"}
    with serve(gives({**lone, "customer": "cus_2"}), page(PAYMENT)) as (billing, _server):
        own = billing.money_of(event("refund.created", "re_1"))
    with serve(gives(lone), gives({"id": "pi_1", "customer": "cus_3"}), page(PAYMENT)) as (billing, _server):
        payers = billing.money_of(event("refund.created", "re_1"))
    assert own == Money("cus_2", "in_7", -900, "eur", "DE", "refunded")
    assert payers == Money("cus_3", "in_7", -900, "eur", "DE", "refunded")


def test_stripe_knows_all_that_is_heeded_in_both_forms() -> None:
    snapshots = get_args(get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])[0])
    assert not HANDLED - set(snapshots)
    classes = {sort: _event_classes.get_v2_event_notification_class(f"v1.{sort}") for sort in HANDLED}
    assert {sort for sort, found in classes.items() if found is UnknownEventNotification} == set()


def test_an_event_that_cannot_be_read_hides_no_other() -> None:
    whole = {"object": "event", "type": "invoice.paid", "created": 1_780_000_000, "livemode": False}
    about = {"data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1"}}}
    odd = [{"id": "evt 1"}, {"id": "evt_2", "created": "soon"}, {"id": "evt_3", "data": None}]
    listed = [{**whole, **about, **one} for one in (*odd, {"id": "evt_4"})]
    with serve(page(*listed)) as (billing, _server):
        assert [found.id for found in billing.events_since(WHEN)] == ["evt_4"]


def test_every_logged_sort_of_event_has_its_money() -> None:
    assert {sort for sort, _, _ in MONEY} == LOGGED


@pytest.mark.parametrize("address", [None, {"country": None}, {"country": ""}, {"country": "Germany"}, {}])
def test_an_unknown_country_is_none(address: Any) -> None:
    with serve(gives({**INVOICE, "customer_address": address})) as (billing, _server):
        money = billing.money_of(event("invoice.paid"))
    assert money is not None
    assert money.tax_country is None


@pytest.mark.parametrize("customer", [{"id": "cus_1", "object": "customer", "deleted": True}, "cus_1"])
def test_a_customer_may_come_as_an_object(customer: Any) -> None:
    with serve(gives({**INVOICE, "customer": customer})) as (billing, _server):
        assert billing.customer_of("in_1") == "cus_1"


def test_money_of_nobody_or_of_what_is_gone_is_none() -> None:
    with serve(gives({**INVOICE, "customer": None})) as (billing, _server):
        assert billing.money_of(event("invoice.paid")) is None
    with serve(gives({**REFUND, "charge": None})) as (billing, _server):
        assert billing.money_of(event("refund.created")) is None
    with serve(GONE) as (billing, server):
        assert billing.money_of(event("invoice.paid")) is None
        assert billing.money_of(event("refund.created", "re_1")) is None
        assert len(server.asked) == 2
        assert billing.money_of(event("invoice.paid", None)) is None
        assert billing.money_of(event("customer.updated", "cus_1")) is None
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("sub_1", "/v1/subscriptions/sub_1"),
        ("in_1", "/v1/invoices/in_1"),
        ("ch_1", "/v1/charges/ch_1"),
        ("py_1", "/v1/charges/py_1"),
        ("re_1", "/v1/refunds/re_1"),
        ("dp_1", "/v1/disputes/dp_1"),
        ("du_1", "/v1/disputes/du_1"),
        ("cs_test_1", "/v1/checkout/sessions/cs_test_1"),
    ],
)
def test_whose_something_is_is_asked_where_its_id_says(name: str, path: str) -> None:
    with serve(gives({"id": name, "customer": "cus_1"}), GONE) as (billing, server):
        assert billing.customer_of(name) == "cus_1"
        assert server.asked[0].path == path
        assert billing.customer_of(name) is None


@pytest.mark.parametrize("name", ["re_1", "pyr_1", "dp_1", "du_1"])
@pytest.mark.parametrize(
    ("payment", "path"),
    [
        ({"charge": "ch_1"}, "/v1/charges/ch_1"),
        ({"charge": None, "payment_intent": "pi_1"}, "/v1/payment_intents/pi_1"),
    ],
)
def test_what_takes_a_payment_back_is_whose_that_was(name: str, payment: dict[str, Any], path: str) -> None:
    with serve(gives({"id": name, **payment}), gives({"id": "one", "customer": "cus_1"})) as (billing, server):
        assert billing.customer_of(name) == "cus_1"
        assert server.asked[1].path == path


def test_nobodys_is_not_looked_for_any_further() -> None:
    guest = {"id": "cs_1", "customer": None, "payment_intent": "pi_1"}
    with serve(gives(guest)) as (billing, server):
        assert billing.customer_of("cs_1") is None
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", ["ch_of_old", "42", "x" * 81])
def test_a_customers_own_id_is_not_taken_for_anything_else(name: str) -> None:
    with serve(gives({"id": "in_1", "customer": name})) as (billing, server):
        assert billing.customer_of("in_1") == (name if len(name) <= 80 else None)
        assert len(server.asked) == 1


def test_whose_anything_else_is_is_not_asked() -> None:
    with serve(GONE) as (billing, server):
        assert billing.customer_of("seti_1") is None
        assert server.asked == []


def test_what_is_gone_is_none_or_nothing_to_do() -> None:
    with serve(GONE) as (billing, _server):
        assert billing.subscriptions_of("cus_1") == []
        assert billing.open_checkouts("cus_1") == []
        assert billing.open_invoices("cus_1") == []
        assert billing.prices(["price_1"]) == []
        assert billing.snapshot_of("evt_1") is None
        billing.delete_customer("cus_1")
        billing.cancel_subscription("sub_1", "key-1")
        billing.expire_checkout("cs_1")
        billing.void_invoice("in_1", "key-1")


def test_an_address_that_stripe_does_not_know_is_not_taken_for_something_gone() -> None:
    with serve(refuses(404)) as (billing, _server), pytest.raises(Permanent, match="billing_rejected"):
        billing.read_customer("cus_1")


def test_a_customer_that_stripe_does_not_know_is_not_taken_for_a_deleted_one() -> None:
    with serve(GONE) as (billing, _server), pytest.raises(Permanent, match="billing_customer_unknown"):
        billing.read_customer("cus_1")


def test_a_deleted_customer_is_none() -> None:
    with serve(gives({"id": "cus_1", "object": "customer", "deleted": True})) as (billing, _server):
        assert billing.read_customer("cus_1", Contact("a", "b@example.com")) is None


@pytest.mark.parametrize(("status", "closed"), [("complete", True), ("expired", True), ("open", False)])
def test_a_checkout_that_cannot_be_expired_is_only_fine_if_it_cannot_be_paid(status: str, closed: bool) -> None:
    with serve(refuses(400), gives({"id": "cs_1", "status": status})) as (billing, _server):
        if closed:
            billing.expire_checkout("cs_1")
        else:
            with pytest.raises(Permanent):
                billing.expire_checkout("cs_1")


def test_a_checkout_whose_end_is_unsure_is_not_taken_for_closed() -> None:
    with serve(refuses(500)) as (billing, server):
        with pytest.raises(Temporary):
            billing.expire_checkout("cs_1")
        assert len(server.asked) == 1


OF_SUBSCRIPTION = {"parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}}


@pytest.mark.parametrize(
    ("standing", "more", "done"),
    [
        ("draft", {"parent": None}, ["DELETE /v1/invoices/in_1"]),
        ("draft", OF_SUBSCRIPTION, ["POST /v1/invoices/in_1/finalize", "POST /v1/invoices/in_1/void"]),
        ("open", OF_SUBSCRIPTION, ["POST /v1/invoices/in_1/void"]),
        ("uncollectible", {}, ["POST /v1/invoices/in_1/void"]),
        ("paid", {}, []),
        ("void", {}, []),
    ],
)
def test_an_invoice_is_kept_from_being_collected_as_its_state_asks(standing: str, more: Any, done: list[str]) -> None:
    after = {"id": "in_1", "status": "open"}
    with serve(gives({"id": "in_1", "status": standing, **more}), gives(after)) as (billing, server):
        billing.void_invoice("in_1", "key-1")
        writes = server.asked[1:]
    assert [f"{asked.method} {asked.path}" for asked in writes] == done
    keys = [asked.headers["idempotency-key"] for asked in writes]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("key-1") for key in keys)


def test_a_draft_that_is_paid_by_becoming_final_is_left_alone() -> None:
    draft = {"id": "in_1", "status": "draft", **OF_SUBSCRIPTION}
    with serve(gives(draft), gives({"id": "in_1", "status": "paid"})) as (billing, server):
        billing.void_invoice("in_1", "key-1")
        assert len(server.asked) == 2
        assert server.asked[1].parameters == {"auto_advance": "false"}


def test_a_price_by_use_has_no_amount_and_one_paid_once_is_not_active() -> None:
    cycle = {"interval": "month", "interval_count": 3}
    by_use = {"id": "price_1", "active": True, "currency": "eur", "unit_amount": None, "recurring": cycle}
    once = {"id": "price_2", "active": True, "currency": "eur", "unit_amount": 100, "recurring": None}
    with serve(gives(by_use), gives(once)) as (billing, _server):
        first, second = billing.prices(["price_1", "price_2"])
    assert (first.amount, first.interval, first.interval_count, first.active) == (None, "month", 3, True)
    assert not second.active
