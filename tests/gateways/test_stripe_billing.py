"""Every call of the port against the stand-in, which keeps an account and refuses what Stripe would refuse."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pigi.clock import now
from pigi.domain.stripe_events import read_event
from pigi.errors import Misconfigured, Permanent, Temporary
from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_http import CallLimits
from pigi.ports.billing import CheckoutRequest, Contact
from pigi.settings import Settings
from standins.stripe.faults import FaultyStripe, busy, drop_after, fail, malformed
from standins.stripe.server import Setup
from worker.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.domain.stripe_events import StripeEvent

MONTHLY = "price_team_month"
BACK = "https://pigi.example/billing"
URL = "https://pigi.example/api/v1/webhooks/stripe"
CONTACT = Contact("Acme", "billing@acme.example")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@contextmanager
def account(limits: CallLimits | None = None, **setup: str) -> Iterator[tuple[StripeBilling, FaultyStripe]]:
    with FaultyStripe(Setup(**setup)) as server:
        billing = StripeBilling(server.url, "sk_test_1", limits or CallLimits(retries=0))
        try:
            yield billing, server
        finally:
            billing.close()


@pytest.fixture
def stripe_account() -> Iterator[tuple[StripeBilling, FaultyStripe]]:
    with account() as both:
        yield both


Both = tuple[StripeBilling, FaultyStripe]


def buy(billing: StripeBilling, server: FaultyStripe, card: str = "good", **buyer: str) -> tuple[str, str]:
    """A customer with a subscription: both ids."""
    customer = billing.create_customer("org-1", f"customer-{len(server.requests)}")
    asked = CheckoutRequest(customer, MONTHLY, "org-1", "job-1", BACK, BACK)
    made = billing.create_checkout(asked, f"checkout-{len(server.requests)}")
    server.pay(made.id, card, **buyer)
    (subscription,) = billing.subscriptions_of(customer)
    return customer, subscription.id


def test_a_customer_is_made_once_for_a_key(stripe_account: Both) -> None:
    billing, server = stripe_account
    first = billing.create_customer("org-1", "key-1")
    assert billing.create_customer("org-1", "key-1") == first
    assert len(server.objects("customer")) == 1
    with pytest.raises(Permanent, match="billing_rejected"):
        billing.create_customer("org-2", "key-1")


def test_a_customer_is_found_by_its_organisation_the_oldest_first(stripe_account: Both) -> None:
    billing, server = stripe_account
    assert billing.find_customer("org-1", LONG_AGO) is None
    oldest = billing.create_customer("org-1", "key-1")
    for number in range(205):
        billing.create_customer(f"org-{number + 2}", f"other-{number}")
    server.advance(timedelta(hours=1))
    billing.create_customer("org-1", "key-2")
    assert billing.find_customer("org-1", LONG_AGO) == oldest
    assert billing.find_customer("org-1", now() + timedelta(minutes=30)) != oldest
    assert billing.find_customer("org-1", now() + timedelta(hours=2)) is None


def test_a_list_of_several_pages_is_read_to_its_end(stripe_account: Both) -> None:
    billing, server = stripe_account
    made = {billing.create_customer(f"org-{number}", f"key-{number}") for number in range(205)}
    found = [customer.id for customer in billing.all_customers()]
    assert set(found) == made
    assert len(found) == 205
    assert len(server.asked("GET", "/v1/customers")) == 3


def test_name_and_address_are_compared_and_not_told(stripe_account: Both) -> None:
    billing, _server = stripe_account
    name = billing.create_customer("org-1", "key-1")
    before = billing.read_customer(name, CONTACT)
    billing.update_customer(name, CONTACT, "key-2")
    after = billing.read_customer(name, CONTACT)
    other = billing.read_customer(name, Contact("Acme", "other@acme.example"))
    plain = billing.read_customer(name)
    assert [found and found.in_step for found in (before, after, other, plain)] == [False, True, False, None]
    assert after is not None
    assert (after.id, after.organisation_id) == (name, "org-1")
    assert "Acme" not in repr(after)
    listed = list(billing.all_customers([(name, CONTACT), ("cus_other", CONTACT)]))
    assert listed == [after]


def test_a_deleted_customer_is_gone_with_its_subscriptions_and_again(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, subscription = buy(billing, server)
    billing.delete_customer(customer)
    billing.delete_customer(customer)
    assert billing.read_customer(customer) is None
    assert list(billing.all_customers()) == []
    assert [one.status for one in billing.all_subscriptions()] == ["canceled"]
    billing.cancel_subscription(subscription, "key-1")


def test_a_subscription_says_whose_it_is_what_it_costs_and_how_it_stands(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server)
    (found,) = billing.subscriptions_of(customer)
    assert (found.id, found.customer_id, found.status, found.price_ids) == (name, customer, "active", (MONTHLY,))
    assert abs(found.created_at - now()) < timedelta(minutes=5)
    assert list(billing.all_subscriptions()) == [found]


def test_ending_a_subscription_can_be_repeated(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server)
    for key in ("key-1", "key-1", "key-2"):
        billing.cancel_subscription(name, key)
    assert [one.status for one in billing.subscriptions_of(customer)] == ["canceled"]


def test_an_open_checkout_is_found_with_its_job_until_it_is_closed(stripe_account: Both) -> None:
    billing, _server = stripe_account
    customer = billing.create_customer("org-1", "key-1")
    made = billing.create_checkout(CheckoutRequest(customer, MONTHLY, "org-1", "job-1", BACK, BACK), "key-2")
    (found,) = billing.open_checkouts(customer)
    assert (found.id, found.url, found.job_id) == (made.id, made.url, "job-1")
    assert made.url not in repr(found)
    billing.expire_checkout(made.id)
    billing.expire_checkout(made.id)
    assert billing.open_checkouts(customer) == []


def test_closing_a_paid_checkout_changes_nothing(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, _name = buy(billing, server)
    (session,) = server.objects("checkout.session")
    billing.expire_checkout(session["id"])
    assert [one.status for one in billing.subscriptions_of(customer)] == ["active"]


def test_a_checkout_with_a_price_that_is_not_there_is_rejected(stripe_account: Both) -> None:
    billing, _server = stripe_account
    customer = billing.create_customer("org-1", "key-1")
    with pytest.raises(Permanent, match="billing_rejected"):
        billing.create_checkout(CheckoutRequest(customer, "price_none", "org-1", "job-1", BACK, BACK), "key-2")


@pytest.mark.parametrize("payment_method", [False, True])
def test_a_portal_page_is_made(stripe_account: Both, payment_method: bool) -> None:
    billing, server = stripe_account
    customer, _name = buy(billing, server)
    made = billing.create_portal(customer, BACK, "key-1", payment_method=payment_method)
    assert made.url.startswith(server.url)
    assert made.url not in repr(made)


def test_whose_things_are_is_known_by_their_ids(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server)
    things = [name, *(one["id"] for kind in ("invoice", "charge", "checkout.session") for one in server.objects(kind))]
    assert len(things) == 4
    assert {billing.customer_of(thing) for thing in things} == {customer}
    assert billing.customer_of("in_none") is None


def test_open_invoices_and_drafts_are_found_and_never_collected(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server, "attaches_then_fails")
    server.renew(name)
    (first,) = billing.open_invoices(customer)
    server.renew(name, draft=True)
    found = billing.open_invoices(customer)
    assert len(found) == 2
    assert first in found
    for invoice in found:
        billing.void_invoice(invoice, f"key-{invoice}")
        billing.void_invoice(invoice, f"key-{invoice}")
    assert billing.open_invoices(customer) == []
    standings = [invoice["status"] for invoice in server.objects("invoice") if invoice["id"] in found]
    assert standings == ["void", "void"]


def happened(server: FaultyStripe, sort: str) -> StripeEvent:
    """The newest event of a sort."""
    return read_event([one for one in server.objects("event") if one["type"] == sort][-1])


def test_the_money_of_what_happened_is_read_anew(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server, "attaches_then_fails", country="FR")
    paid = billing.money_of(happened(server, "invoice.paid"))
    server.renew(name)
    failed = happened(server, "invoice.payment_failed")
    unpaid = billing.money_of(failed)
    server.retry_payment(name, pay=True)
    assert paid is not None
    assert unpaid is not None
    assert (paid.customer_id, paid.amount, paid.currency, paid.status) == (customer, 4900, "eur", "paid")
    assert (paid.tax_country, unpaid.status, unpaid.amount) == ("FR", "failed", 4900)
    assert billing.money_of(failed) == unpaid


def test_prices_that_exist_are_told(stripe_account: Both) -> None:
    billing, _server = stripe_account
    (found,) = billing.prices([MONTHLY, "price_none"])
    assert (found.id, found.amount, found.currency, found.active) == (MONTHLY, 4900, "eur", True)
    assert (found.interval, found.interval_count) == ("month", 1)


def test_events_are_told_from_the_newest_back_to_a_moment(stripe_account: Both) -> None:
    billing, server = stripe_account
    customer, name = buy(billing, server)
    server.advance(timedelta(hours=1))
    billing.cancel_subscription(name, "key-1")
    every = list(billing.events_since(LONG_AGO))
    late = list(billing.events_since(now() + timedelta(minutes=30)))
    assert [event.created_at for event in every] == sorted((event.created_at for event in every), reverse=True)
    assert {event.type for event in late} == {"customer.subscription.deleted"}
    assert {"invoice.paid", "checkout.session.completed"} <= {event.type for event in every}
    assert {event.customer_id for event in every} == {customer}
    assert all(event.handled for event in every)


def test_a_thin_event_names_its_snapshot() -> None:
    with account(payload="thin", webhook=URL) as (billing, server):
        server.pause_deliveries()
        buy(billing, server)
        thin = server.objects("v2.core.event")
        snapshots = {one["id"] for one in server.objects("event")}
        assert thin
        assert {billing.snapshot_of(one["id"]) for one in thin} <= snapshots
        assert billing.snapshot_of("evt_none") is None


def test_the_stand_ins_set_up_is_without_fault() -> None:
    with account(webhook=URL) as (billing, server):
        server.pause_deliveries()
        buy(billing, server)
        assert billing.findings(URL, [MONTHLY], live=True) == []
        found = billing.findings(URL + "/other", [MONTHLY, "price_none"], live=True)
        assert found == ["price_missing", "webhook_missing"]


def test_receipts_and_dunning_that_are_off_are_found() -> None:
    with account(webhook=URL) as (billing, server):
        server.pause_deliveries()
        server.set_account(mails_receipts=False, retries_payments=False)
        _customer, name = buy(billing, server, "attaches_then_fails")
        server.renew(name)
        assert set(billing.findings(URL, [MONTHLY], live=True)) == {"receipts_off", "dunning_off"}


def test_what_was_done_though_no_answer_came_is_not_done_twice(stripe_account: Both) -> None:
    billing, server = stripe_account
    for fault in (drop_after(), malformed()):
        server.plan("POST", "/v1/customers", fault)
        with pytest.raises(Temporary):
            billing.create_customer("org-1", "key-1")
    made = billing.create_customer("org-1", "key-1")
    assert [one["id"] for one in server.objects("customer")] == [made]


def test_a_failure_in_the_middle_of_a_list_is_healed_by_a_try_more() -> None:
    with account(CallLimits()) as (billing, server):
        for number in range(101):
            billing.create_customer(f"org-{number}", f"key-{number}")
        every = billing.all_customers()
        next(every)
        server.plan("GET", "/v1/customers", fail(500))
        assert len(list(every)) == 100


def test_a_wait_comes_with_its_length(stripe_account: Both) -> None:
    billing, server = stripe_account
    server.plan("*", "/v1/", busy(7))
    with pytest.raises(Temporary, match="billing_busy") as caught:
        billing.create_customer("org-1", "key-1")
    assert caught.value.retry_after == timedelta(seconds=7)


def test_the_worker_asks_where_its_settings_say() -> None:
    with FaultyStripe() as server:
        wiring = Wiring(Settings(stripe_api_key="sk_test_2", stripe_api_base=server.url))
        assert wiring.billing.prices([MONTHLY])
        assert wiring.billing is wiring.billing
        assert server.requests[0].headers["authorization"] == "Bearer sk_test_2"


def test_a_worker_without_a_key_asks_nobody() -> None:
    with pytest.raises(Misconfigured, match="STRIPE_API_KEY"):
        _ = Wiring(Settings()).billing
