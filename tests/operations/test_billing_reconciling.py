"""Reconciliation: whatever was missed is found, counted and put right; what is set up wrongly is said."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pigi.domain.stripe_events import read_event
from pigi.jobs.moves import JOB
from pigi.operations.billing_accounts import ACCOUNT
from pigi.operations.billing_events import note_event
from pigi.operations.billing_oversight import oversee, request_reconciliation
from standins.faulty_stripe import fail
from tests.support.billing import BUSINESS, PRICES, Shop
from tests.support.jobs import row_of


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def lose(shop, share=1.0):
    """Events that nobody ever delivers; how many of them Pigi would have heeded."""
    return sum(read_event(json.loads(body)).heeded for body in shop.stripe.take_events())


def test_what_no_webhook_told_is_found(shop):
    owner, other = shop.subscribed(), shop.subscribed()
    shop.reconcile()
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.renew(subscription["id"], pay=False)
    lost = lose(shop)
    assert shop.standing(owner)[0] == "active"
    run = shop.reconcile()
    assert shop.standing(owner) == (shop.truth(owner), "team") == ("past_due", "team")
    assert shop.standing(other) == ("active", "team")
    assert (run.drift, run.missed) == (1, lost)
    assert shop.log(owner)[-1].event_type == "invoice.payment_failed"


def test_a_second_run_finds_nothing_more(shop):
    owner = shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lose(shop)
    shop.reconcile()
    run = shop.reconcile()
    assert (run.drift, run.missed, run.strangers) == (0, 0, 0)
    assert run.customers == 1


def test_a_checkout_of_which_nothing_was_heard_is_found(shop):
    owner = shop.organisation()
    job = shop.checkout(owner)
    shop.stripe.pay(shop.session(owner, job))
    lose(shop)
    with shop.control.quick() as connection:
        connection.execute(update(ACCOUNT).values(customer_id=None))
    assert shop.reconcile().drift == 1
    assert shop.standing(owner) == ("active", "team")


def test_what_pigi_has_wrong_is_put_right(shop):
    owner = shop.subscribed()
    with shop.control.quick() as connection:
        connection.execute(update(ACCOUNT).values(status="canceled", plan="business"))
    assert shop.reconcile().drift == 1
    assert shop.standing(owner) == ("active", "team")


def test_a_subscription_of_no_organisation_is_counted(shop):
    owner = shop.subscribed()
    with shop.control.quick() as connection:
        connection.execute(update(ACCOUNT).values(customer_id=None, intended_at=None, status="none", plan=None))
    run = shop.reconcile()
    assert run.strangers == 1
    assert shop.account(owner).customer_id is None


def test_events_that_were_heard_and_not_processed_are_processed(shop):
    owner = shop.subscribed()
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    with shop.control.transaction() as connection:
        for body in shop.stripe.take_events():
            event = read_event(json.loads(body))
            if event.heeded:
                note_event(connection, event)
    assert oversee(shop.application).waiting > 0
    shop.reconcile()
    assert oversee(shop.application).waiting == 0
    assert [line.status for line in shop.log(owner)] == ["paid", "failed"]


def test_a_customer_that_is_out_of_step_is_followed_up(shop):
    owner = shop.subscribed()
    shop.provider.update_customer(shop.account(owner).customer_id, _contact("Old name", "old@example.com"), "k")
    shop.reconcile()
    with shop.control.quick() as connection:
        (job,) = connection.execute(select(JOB.c.id).where(JOB.c.kind == "billing.contact")).scalars()
    assert shop.do(job).state == "succeeded"
    assert shop.customers(owner)[0]["name"] == "Harbour Works"


def _contact(name, email):
    from pigi.ports.billing import Contact

    return Contact(name, email)


def test_more_customers_than_fit_on_a_page_are_all_looked_at(shop):
    owners = [shop.organisation() for _ in range(3)]
    for number in range(105):
        shop.provider.create_customer(f"stranger-{number}", f"k{number}")
    for owner in owners:
        shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    lose(shop)
    assert shop.reconcile().drift == 3
    assert {shop.standing(owner) for owner in owners} == {("active", "team")}


def test_a_run_that_breaks_off_goes_on_and_keeps_its_count(shop):
    first, second = shop.subscribed(), shop.subscribed()
    for owner in (first, second):
        shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lose(shop)
    job = request_reconciliation(shop.application, "test").id
    shop.stripe.plan("GET", "/v1/prices", fail(503))
    assert shop.do(job).state == "retrying"
    shop.stripe.plan("GET", "/v1/webhook_endpoints", fail(503))
    assert shop.do(job, now=True).state == "retrying"
    assert shop.do(job, now=True).state == "succeeded"
    whole = oversee(shop.application).last_whole
    assert whole is not None
    assert (whole.id, whole.drift) == (job, 2)


def test_prices_are_learnt(shop):
    owner = shop.organisation()
    shop.reconcile()
    from pigi.operations.billing import read_billing

    ((_, (month, _year)), (_, (business,))) = read_billing(shop.application, owner).offers
    assert (month.amount, month.currency, month.interval, business.amount) == (4900, "eur", "month", 19900)


def test_operators_see_how_it_stands(shop):
    owner = shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    body, *_ = shop.stripe.take_events()
    shop.deliver(body)
    found = oversee(shop.application)
    assert found.charged
    assert found.statuses == {"active": 1}
    assert found.waiting == 1
    assert found.oldest_waiting is not None
    assert found.events["synced"] > 0
    assert found.last_whole is None


def test_nothing_is_done_where_nobody_is_charged(application, stripe):
    free = Shop(application, stripe, stripe_prices="", stripe_api_key="", stripe_webhook_secret="")
    job = request_reconciliation(free.application, "test").id
    assert free.do(job).state == "succeeded"
    assert stripe.requests == []
    assert row_of(free.control, job).state == "succeeded"


# The set-up


def test_a_good_set_up_has_no_findings(application, stripe):
    shop = Shop(application, stripe)
    _endpoint(shop)
    shop.subscribed()
    assert shop.reconcile().findings == ()


def _endpoint(shop, **changes):
    asked = {
        "url": f"{shop.application.settings.public_url}/api/v1/webhooks/stripe",
        "enabled_events": ["*"],
        "api_version": "2026-10-28.endive",
        **changes,
    }
    shop.sdk.v1.webhook_endpoints.create(asked)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"url": "https://elsewhere.example/hook"}, "webhook_missing"),
        ({"enabled_events": ["invoice.paid"]}, "webhook_events"),
    ],
)
def test_a_webhook_that_is_set_up_wrongly_is_found(shop, changes, finding):
    _endpoint(shop, **changes)
    assert finding in shop.reconcile().findings


def test_a_price_that_stripe_does_not_have_is_found(application, stripe):
    shop = Shop(application, stripe, stripe_prices=f"{PRICES},price_missing=business")
    assert "price_missing" in shop.reconcile().findings


def test_mails_that_stripe_does_not_send_are_found(shop):
    shop.stripe.set_account(mails_receipts=False)
    shop.subscribed(BUSINESS.split("_")[1])
    assert "receipts_off" in shop.reconcile().findings


def test_the_clock_of_a_run_reaches_back_to_the_last_whole_one(shop):
    owner = shop.subscribed()
    shop.reconcile()
    shop.stripe.advance(timedelta(minutes=5))
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lost = lose(shop)
    assert shop.reconcile().missed == lost
