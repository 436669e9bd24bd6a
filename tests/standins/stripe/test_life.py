"""A subscription's life at the stand-in: bought, renewed, not paid, changed, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from standins.stripe.requests import RequestError
from standins.stripe.server import StripeStandIn
from tests.standins.stripe.client import client_of, kinds, open_session, subscribe

DAY = 86_400


@pytest.fixture
def server():
    with StripeStandIn() as made:
        yield made


@pytest.fixture
def client(server):
    return client_of(server)


def status_of(client, bought):
    return client.v1.subscriptions.retrieve(bought.id).status


def invoices_of(client, bought, **more):
    return client.v1.invoices.list({"subscription": bought.id, **more}).data


def test_paying_makes_an_active_subscription_a_paid_invoice_and_a_complete_session(server, client):
    bought = subscribe(server, client, subscription_data={"metadata": {"job": "1"}}, client_reference_id="org_1")
    assert (bought.status, bought.metadata["job"]) == ("active", "1")
    item = bought["items"].data[0]
    assert (item.price.id, item.quantity) == ("price_team_month", 1)
    assert 28 * DAY <= item.current_period_end - item.current_period_start <= 31 * DAY
    (invoice,) = invoices_of(client, bought)
    assert (invoice.status, invoice.amount_due, invoice.amount_paid, invoice.total) == ("paid", 4900, 4900, 4900)
    assert invoice.parent.subscription_details.subscription == bought.id
    (session,) = client.v1.checkout.sessions.list({"customer": bought.customer, "status": "complete"}).data
    assert (session.subscription, session.payment_status, session.url) == (bought.id, "paid", None)
    assert session.client_reference_id == "org_1"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)


def test_what_the_payer_typed_in_is_kept_at_the_stand_in(server, client):
    bought = subscribe(server, client, customer_update={"address": "auto", "name": "auto"})
    invoice = client.v1.invoices.retrieve(bought.latest_invoice)
    assert (invoice.customer_address.country, invoice.customer_name) == ("DE", "Ada Payer")
    assert invoice.customer_email == "payer@example.org"
    (charge,) = client.v1.charges.list({"customer": bought.customer}).data
    assert charge.billing_details.address.city == "Payertown"
    assert charge.payment_method_details.card.last4 == "4242"


def test_the_address_stays_off_the_customer_unless_asked_for(server, client):
    bought = subscribe(server, client)
    assert client.v1.customers.retrieve(bought.customer).address is None
    assert client.v1.invoices.retrieve(bought.latest_invoice).customer_address is None


def test_a_declined_card_makes_nothing(server, client):
    customer = client.v1.customers.create()
    session = open_session(client, customer.id)
    with pytest.raises(RequestError) as caught:
        server.pay(session.id, "declined")
    assert caught.value.status == 402
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    assert kinds(server) == ["customer.created"]


def test_a_card_that_is_never_confirmed_leaves_it_incomplete_for_23_hours(server, client):
    bought = subscribe(server, client, "incomplete")
    assert bought.status == "incomplete"
    assert [one.status for one in invoices_of(client, bought)] == ["open"]
    server.advance(timedelta(hours=23))
    assert status_of(client, bought) == "incomplete_expired"
    assert [one.status for one in invoices_of(client, bought)] == ["void"]


def test_an_incomplete_one_is_paid_with_another_card(server, client):
    bought = subscribe(server, client, "incomplete")
    (session,) = server.objects("checkout.session")
    server.pay(session["id"], "good")
    assert status_of(client, bought) == "active"
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1


def test_a_session_expires_by_itself_after_a_day(server, client):
    session = open_session(client, client.v1.customers.create().id)
    server.take_events()
    server.advance(DAY - 60)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    server.advance(61)
    found = client.v1.checkout.sessions.retrieve(session.id)
    assert (found.status, found.url) == ("expired", None)
    assert kinds(server) == ["checkout.session.expired"]
    with pytest.raises(RequestError):
        server.pay(session.id)


def test_failing_makes_it_past_due_and_paying_active_again(server, client):
    bought = subscribe(server, client)
    server.take_events()
    server.renew(bought.id, pay=False)
    assert status_of(client, bought) == "past_due"
    (invoice,) = invoices_of(client, bought, status="open")
    assert (invoice.attempt_count, invoice.amount_remaining) == (1, 4900)
    assert invoice.next_payment_attempt - invoice.created == 3 * DAY
    failed = kinds(server)
    assert "invoice.payment_failed" in failed
    assert "charge.failed" in failed
    assert server.retry_payment(bought.id, pay=True)
    assert status_of(client, bought) == "active"
    assert invoices_of(client, bought, status="open") == []


@pytest.mark.parametrize("outcome", ["unpaid", "canceled"])
def test_after_the_last_retry_it_becomes_what_the_account_says(server, client, outcome):
    server.set_account(after_last_retry=outcome)
    bought = subscribe(server, client, "attaches_then_fails")
    server.renew(bought.id)
    assert status_of(client, bought) == "past_due"
    server.advance(14 * DAY)
    assert status_of(client, bought) == "past_due"
    server.advance(1 * DAY)
    assert status_of(client, bought) == outcome
    (invoice,) = invoices_of(client, bought, status="open")
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (4, None)


def test_without_retries_nothing_is_tried_again(server, client):
    server.set_account(retries_payments=False, mails_receipts=False)
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    (invoice,) = invoices_of(client, bought, status="open")
    assert invoice.next_payment_attempt is None
    assert [one.receipt_number for one in invoices_of(client, bought)] == [None, None]
    assert server.mails == []


def test_an_unpaid_one_is_active_once_its_newest_invoice_is_paid(server, client):
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    server.give_up(bought.id)
    assert status_of(client, bought) == "unpaid"
    server.change_card(bought.id, "good")
    (invoice,) = invoices_of(client, bought, status="open")
    assert client.v1.invoices.pay(invoice.id).status == "paid"
    assert status_of(client, bought) == "active"


def test_a_draft_that_nobody_asked_for_does_not_keep_it_unpaid(server, client):
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    server.give_up(bought.id)
    server.renew(bought.id)
    assert [one.status for one in invoices_of(client, bought)] == ["draft", "open", "paid"]
    client.v1.invoices.pay(invoices_of(client, bought, status="open")[0].id)
    assert status_of(client, bought) == "active"


def test_time_renews_each_period_on_its_day(server, client):
    bought = subscribe(server, client)
    server.advance(100 * DAY)
    found = invoices_of(client, bought)
    assert [one.status for one in found] == ["paid"] * 4
    item = client.v1.subscriptions.retrieve(bought.id)["items"].data[0]
    assert found[0].created == item.current_period_start
    assert item.current_period_start > bought["items"].data[0].current_period_end
    assert [one["type"] for one in server.mails] == ["receipt"] * 4


def test_a_draft_is_collected_after_an_hour_unless_it_is_deleted(server, client):
    bought = subscribe(server, client)
    drafted = server.renew(bought.id, draft=True)
    assert client.v1.invoices.retrieve(drafted["id"]).status == "draft"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.void_invoice(drafted["id"])
    server.advance(3601)
    assert client.v1.invoices.retrieve(drafted["id"]).status == "paid"
    other = server.renew(bought.id, draft=True)
    assert client.v1.invoices.delete(other["id"]).deleted is True
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.retrieve(other["id"])


def test_it_ends_with_its_period_when_that_was_asked_for(server, client):
    bought = subscribe(server, client)
    end = bought["items"].data[0].current_period_end
    later = client.v1.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    assert (later.status, later.cancel_at_period_end, later.cancel_at) == ("active", True, end)
    server.take_events()
    server.advance(32 * DAY)
    found = client.v1.subscriptions.retrieve(bought.id)
    assert (found.status, found.ended_at) == ("canceled", end)
    assert kinds(server) == ["customer.subscription.deleted"]
    assert client.v1.subscriptions.list({"customer": bought.customer}).data == []
    assert len(client.v1.subscriptions.list({"customer": bought.customer, "status": "all"}).data) == 1
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.subscriptions.cancel(bought.id)
    assert caught.value.code == "resource_missing"


def test_taking_a_cancellation_back_lets_it_go_on(server, client):
    bought = subscribe(server, client)
    server.cancel_later(bought.id)
    server.cancel_later(bought.id, cancels=False)
    server.advance(32 * DAY)
    assert status_of(client, bought) == "active"


def test_another_price_is_invoiced_for_the_rest_of_the_period(server, client):
    bought = subscribe(server, client)
    item = bought["items"].data[0]
    server.advance((item.current_period_end - item.current_period_start) / 2)
    asked = {"items": [{"id": item.id, "price": "price_business_month"}], "proration_behavior": "always_invoice"}
    found = client.v1.subscriptions.update(bought.id, asked)
    assert found["items"].data[0].price.id == "price_business_month"
    assert invoices_of(client, bought)[0].total == pytest.approx((19_900 - 4_900) / 2, abs=2)


def test_another_period_begins_at_once(server, client):
    bought = subscribe(server, client)
    server.change_plan(bought.id, "price_team_year")
    item = client.v1.subscriptions.retrieve(bought.id)["items"].data[0]
    assert item.current_period_end - item.current_period_start in {365 * DAY, 366 * DAY}


def test_deleting_a_customer_ends_what_it_has(server, client):
    bought = subscribe(server, client)
    server.take_events()
    assert client.v1.customers.delete(bought.customer).deleted is True
    assert status_of(client, bought) == "canceled"
    assert client.v1.customers.retrieve(bought.customer).to_dict() == {
        "id": bought.customer, "object": "customer", "deleted": True,
    }  # fmt: skip
    assert client.v1.customers.list().data == []
    assert [kind for kind in kinds(server) if kind.startswith("customer.")] == [
        "customer.subscription.deleted", "customer.deleted",
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as caught:
        open_session(client, bought.customer)
    assert (caught.value.code, caught.value.param) == ("resource_missing", "customer")


def test_voiding_makes_a_late_one_active_and_a_paid_invoice_cant_be_voided(server, client):
    bought = subscribe(server, client)
    server.renew(bought.id, pay=False)
    late, paid = invoices_of(client, bought)
    assert client.v1.invoices.void_invoice(late.id).status == "void"
    assert status_of(client, bought) == "active"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.void_invoice(paid.id)


def test_refunds_add_up_to_what_was_paid(server, client):
    bought = subscribe(server, client)
    (charge,) = client.v1.charges.list({"customer": bought.customer}).data
    client.v1.refunds.create({"charge": charge.id, "amount": 900})
    found = client.v1.charges.retrieve(charge.id)
    assert (found.amount_refunded, found.refunded) == (900, False)
    client.v1.refunds.create({"charge": charge.id})
    assert client.v1.charges.retrieve(charge.id).refunded is True
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": charge.id})
    (payment,) = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": charge.payment_intent}}
    ).data
    assert payment.invoice == bought.latest_invoice


def test_a_refund_that_fails_is_not_given_back_after_all(server, client):
    bought = subscribe(server, client)
    (charge,) = client.v1.charges.list({"customer": bought.customer}).data
    server.take_events()
    made = server.refund(charge.id, 900, pending=True)
    assert kinds(server) == ["charge.refunded", "refund.created"]
    assert (client.v1.refunds.retrieve(made["id"]).status, made["customer"]) == ("pending", bought.customer)
    server.fail_refund(made["id"])
    assert kinds(server) == ["refund.updated", "refund.failed", "charge.updated"]
    assert client.v1.refunds.retrieve(made["id"]).status == "failed"
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    with pytest.raises(RequestError):
        server.fail_refund(made["id"])
    assert server.refund(charge.id)["amount"] == 4900


def test_a_disputed_charge_is_taken_back_and_given_again_once(server, client):
    bought = subscribe(server, client)
    (charge,) = client.v1.charges.list({"customer": bought.customer}).data
    server.take_events()
    made = server.dispute(charge.id, 900)
    assert kinds(server) == ["charge.updated", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    found = client.v1.disputes.retrieve(made["id"], {"expand": ["charge"]})
    assert (found.amount, found.charge.customer, found.charge.disputed) == (900, bought.customer, True)
    assert [one.amount for one in found.balance_transactions] == [-900]
    server.reinstate(made["id"])
    assert kinds(server) == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]
    assert [one.amount for one in client.v1.disputes.retrieve(made["id"]).balance_transactions] == [-900, 900]
    for impossible in (lambda: server.dispute(charge.id), lambda: server.reinstate(made["id"])):
        with pytest.raises(RequestError):
            impossible()


def test_the_invoice_of_a_payment_is_found_by_its_whole_name_alone(server, client):
    bought = subscribe(server, client)
    (charge,) = client.v1.charges.list({"customer": bought.customer}).data
    payment = {"type": "payment_intent", "payment_intent": charge.payment_intent}
    (found,) = client.v1.invoice_payments.list({"payment": payment, "expand": ["data.invoice"]}).data
    assert (found.invoice.id, found.invoice.customer) == (bought.latest_invoice, bought.customer)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoice_payments.list({"payment": {"payment_intent": charge.payment_intent}})
