"""Reconciliation: whatever was missed is found, counted and put right; what is set up wrongly is said."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pigi.domain.stripe_events import read_event
from pigi.jobs.model.transitions import JOB
from pigi.operations.billing import ACCOUNT, grant_plan, oversee, read_run, request_reconciliation
from pigi.operations.billing.events import store_event
from pigi.operations.billing.reconciliation import PRICE
from pigi.ports.billing import CheckoutRequest
from standins.stripe.faults import FaultyStripe, fail
from standins.stripe.server import Setup
from tests.support.billing import HOME, PRICES, TEAM, Shop
from tests.support.jobs import refuse, row_of


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def lose(shop, share=1.0):
    """Events that nobody ever delivers; how many of them Pigi would have handled."""
    return sum(read_event(json.loads(body)).handled for body in shop.stripe.take_events())


def test_an_event_that_no_webhook_delivered_is_found(shop):
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


def test_a_checkout_of_which_no_event_arrived_is_found(shop):
    owner = shop.organisation()
    job = shop.checkout(owner)
    shop.stripe.pay(shop.session(owner, job))
    lose(shop)
    with shop.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).values(customer_id=None))
    assert shop.reconcile().drift == 1
    assert shop.standing(owner) == ("active", "team")


def test_what_pigi_has_wrong_is_put_right(shop):
    owner = shop.subscribed()
    with shop.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).values(status="canceled", plan="business"))
    assert shop.reconcile().drift == 1
    assert shop.standing(owner) == ("active", "team")


def test_a_subscription_of_no_organisation_is_counted(shop):
    owner = shop.subscribed()
    with shop.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).values(customer_id=None, intended_at=None, status="none", plan=None))
    run = shop.reconcile()
    assert run.strangers == 1
    assert shop.account(owner).customer_id is None


def test_events_that_were_received_and_not_processed_are_processed(shop):
    owner = shop.subscribed()
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    with shop.control.transaction() as connection:
        for body in shop.stripe.take_events():
            event = read_event(json.loads(body))
            if event.handled:
                store_event(connection, event)
    assert oversee(shop.application).waiting > 0
    shop.reconcile()
    assert oversee(shop.application).waiting == 0
    assert [line.status for line in shop.log(owner)] == ["paid", "failed"]


def test_what_was_missed_has_a_job_too_so_that_a_run_that_dies_leaves_nothing_behind(shop):
    owner = shop.subscribed()
    shop.reconcile()
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    lost = lose(shop)
    shop.reconcile()
    with shop.control.autocommit() as connection:
        owed = select(JOB.c.id).where(JOB.c.kind == "billing.sync", JOB.c.state == "queued")
        assert len(connection.execute(owed).all()) == lost


def test_an_event_of_a_guest_is_none_of_pigis(shop):
    shop.subscribed()
    shop.organisation()
    with shop.control.begin() as session:
        grant_plan(session, shop.application, shop.organisation().organisation_id, "team", "operator:cli")
    events = shop.stripe.account.of("event")
    (paid, *_) = (event for event in events.values() if event["type"] == "checkout.session.completed")
    guest = {**paid["data"]["object"], "id": "cs_test_guest", "customer": None}
    events["evt_guest"] = {**paid, "id": "evt_guest", "data": {**paid["data"], "object": guest}}
    shop.reconcile()
    assert oversee(shop.application).waiting == 0
    assert "evt_guest" not in {event.event_id for event in shop.events()}


def test_an_event_of_a_customer_that_stripe_does_not_know_stands_in_nobodys_way(shop):
    owner = shop.subscribed()
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    told = [body for body in shop.stripe.take_events() if b'"customer.subscription.updated"' in body][-1]
    customer = shop.account(owner).customer_id
    strange = told.replace(customer.encode(), b"cus_nobody").replace(b'"evt_', b'"evt_x')
    with shop.control.transaction() as connection:
        store_event(connection, read_event(json.loads(strange)))
    assert shop.reconcile().ended_at is not None
    assert oversee(shop.application).waiting == 0
    assert shop.standing(owner) == ("past_due", "team")


def test_a_customer_that_is_refused_keeps_no_other_waiting_but_the_run_is_not_whole(shop):
    lost, owner = shop.subscribed(), shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    with shop.control.autocommit() as connection:
        mine = ACCOUNT.c.organisation_id == lost.organisation_id
        connection.execute(update(ACCOUNT).where(mine).values(customer_id="cus_0_of_another_account"))
    job = shop.do(request_reconciliation(shop.application, "operator").id)
    assert (job.state, job.reason) == ("failed", "billing_customer_unknown")
    assert shop.standing(owner) == ("past_due", "team")
    assert shop.standing(lost) == ("active", "team")
    assert oversee(shop.application).last_whole is None


@pytest.mark.parametrize("stuck", [0, 2])
def test_a_customer_whose_row_cannot_be_written_keeps_no_other_waiting(shop, stuck):
    owners = [shop.subscribed() for _ in range(3)]
    for owner in owners:
        shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lose(shop)
    whose = owners[stuck].organisation_id
    refuse(shop.control, "UPDATE OF status", "billing_account", f"NEW.organisation_id = '{whose}'")
    job = shop.do(request_reconciliation(shop.application, "operator").id)
    assert job.state != "succeeded"
    assert [shop.standing(owner)[0] for owner in owners].count("past_due") == 2
    assert oversee(shop.application).last_whole is None


@pytest.mark.parametrize("right", ["refunds", "disputes"])
def test_money_that_cannot_be_read_keeps_nobody_else_waiting(application, stripe, right):
    shop = Shop(application, stripe, key="rk_test_planted")
    first, second = shop.subscribed(), shop.subscribed()
    shop.reconcile()
    for owner in (first, second):
        shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    charge = next(one for one in stripe.objects("charge") if one["customer"] == shop.account(first).customer_id)
    shop.refund(charge["id"], 100)
    shop.stripe.dispute(charge["id"])
    lose(shop)
    stripe.set_account(rights={right: "none"})
    job = shop.do(request_reconciliation(application, "operator").id)
    assert (job.state, job.reason) == ("retrying", "billing_refuses_us")
    assert {shop.standing(owner) for owner in (first, second)} == {("past_due", "team")}
    assert read_run(application, job.id).drift == 2
    stripe.set_account(rights={})
    assert shop.do(job.id, now=True).state == "succeeded"
    assert oversee(application).waiting == 0


def test_thin_events_whose_jobs_failed_before_they_asked_whose_they_are_are_settled(application):
    with FaultyStripe(Setup(payload="thin")) as stripe:
        shop = Shop(application, stripe)
        owner = shop.subscribed()
        shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
        for body in stripe.take_events():
            shop.deliver(body)
        assert oversee(shop.application).waiting > 0
        shop.reconcile()
        assert oversee(shop.application).waiting == 0
        assert shop.standing(owner) == ("past_due", "team")


def test_whoever_pays_for_two_subscriptions_is_a_finding(shop):
    owner = shop.subscribed()
    assert "subscribed_twice" not in shop.reconcile().findings
    customer = shop.account(owner).customer_id
    asked = CheckoutRequest(customer, TEAM, owner.organisation_id, "by-hand", HOME, HOME)
    shop.stripe.pay(shop.provider.create_checkout(asked, "by-hand").id)
    assert "subscribed_twice" in shop.reconcile().findings


def test_a_customer_that_is_out_of_step_is_followed_up(shop):
    owner = shop.subscribed()
    shop.provider.update_customer(shop.account(owner).customer_id, _contact("Old name", "old@example.com"), "k")
    shop.reconcile()
    with shop.control.autocommit() as connection:
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


def test_operators_see_the_state_of_billing(shop):
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


def test_mails_that_stripe_does_not_send_are_found_where_money_is_real(shop, application, stripe):
    stripe.set_account(mails_receipts=False)
    shop.subscribed("business")
    assert "receipts_off" not in shop.reconcile().findings
    real = Shop(application, stripe, stripe_api_key="sk_live_x")
    assert "receipts_off" in real.reconcile().findings


UNCHECKED = {
    "prices": "unchecked_prices",
    "webhook_endpoints": "unchecked_webhook",
    "billing_portal": "unchecked_portal",
    "invoices": "unchecked_invoices",
}


def restricted(application, stripe, **rights):
    """A shop whose key may not do all."""
    stripe.set_account(rights=rights)
    found = Shop(application, stripe, key="rk_test_x")
    _endpoint(found)
    return found


@pytest.mark.parametrize("resource", UNCHECKED)
def test_a_part_that_the_key_may_not_check_is_a_finding_of_a_whole_run(application, stripe, resource):
    shop = restricted(application, stripe, **{resource: "none"})
    run = shop.reconcile()
    assert run.ended_at is not None
    assert run.findings == (UNCHECKED[resource],)


def test_all_parts_that_the_key_may_not_check_are_named_and_drift_is_put_right(shop, application, stripe):
    owner = shop.subscribed()
    stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lost = lose(shop)
    poor = restricted(application, stripe, **dict.fromkeys([*UNCHECKED, "event_destinations"], "none"))
    run = poor.reconcile()
    assert (run.drift, run.missed, run.findings) == (1, lost, tuple(UNCHECKED.values()))
    assert poor.reconcile().missed == 0


def test_a_key_for_snapshots_alone_needs_no_right_to_event_destinations(application, stripe):
    shop = restricted(application, stripe, event_destinations="none")
    assert shop.reconcile().findings == ()
    _no_endpoints(shop)
    assert shop.reconcile().findings == ("webhook_missing",)


def test_what_is_known_of_prices_stays_while_the_key_may_not_read_them(application, stripe):
    shop = restricted(application, stripe)
    shop.reconcile()
    before = _prices(shop)
    stripe.set_account(rights={"prices": "none"})
    shop.reconcile()
    assert _prices(shop) == before != []


@pytest.mark.parametrize("resource", ["customers", "subscriptions", "events"])
def test_without_a_right_that_is_needed_for_more_than_the_check_no_run_is_whole(application, stripe, resource):
    shop = restricted(application, stripe, **{resource: "none"})
    job = shop.do(request_reconciliation(shop.application, "test").id)
    assert (job.state, job.reason) == ("retrying", "billing_refuses_us")
    assert oversee(shop.application).last_whole is None


def test_a_key_that_is_refused_fails_the_run(application, stripe):
    shop = Shop(application, stripe, key="sk_live_of_another_mode")
    job = shop.do(request_reconciliation(shop.application, "test").id)
    assert (job.state, job.reason) == ("retrying", "billing_refuses_us")
    assert oversee(shop.application).last_whole is None


def _no_endpoints(shop):
    for endpoint in shop.sdk.v1.webhook_endpoints.list().data:
        shop.sdk.v1.webhook_endpoints.delete(endpoint.id)


def _prices(shop):
    with shop.control.autocommit() as connection:
        return connection.execute(select(PRICE)).all()


def test_the_clock_of_a_run_reaches_back_to_the_last_whole_one(shop):
    owner = shop.subscribed()
    shop.reconcile()
    shop.stripe.advance(timedelta(minutes=5))
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    lost = lose(shop)
    assert shop.reconcile().missed == lost
