"""One fact, two forms: a thin event and its snapshot count once, whether or not Stripe says that they are one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pigi.domain.stripe_events import LOGGED
from standins.stripe.faults import FaultyStripe, busy, fail
from standins.stripe.server import Setup
from tests.support.billing import Shop
from tests.support.jobs import row_of

V2 = "/v2/core/events/"


@pytest.fixture
def shop(application):
    """A shop whose webhook gets thin events."""
    with FaultyStripe(Setup(payload="thin")) as stripe:
        yield Shop(application, stripe)


def untie(shop):
    """Stripe no longer says which snapshot a thin event has."""
    for event in shop.stripe.account.of("v2.core.event").values():
        event["_snapshot"] = None


def snapshots(shop, *sorts):
    """The snapshots of these sorts, as a destination of snapshots would get them."""
    found = [event for event in shop.stripe.objects("event") if event["type"] in sorts]
    return [json.dumps(event).encode() for event in found]


def facts(shop, owner):
    return sorted((line.event_type, line.invoice_id, line.amount) for line in shop.log(owner))


def waiting(shop):
    return {event.type for event in shop.events() if event.processed_at is None}


def paid(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    return owner


def deliver_all(shop):
    return [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_ask_for_snapshots_does_not_matter_where_the_snapshot_is_logged(shop, status):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.stripe.plan("GET", V2, fail(status), times=10_000)
    thin = shop.stripe.take_events()
    for body in [*snapshots(shop, *LOGGED), *thin]:
        job = shop.deliver(body)
        if job is not None:
            shop.do(job)
    assert shop.reconcile().ended_at is not None
    assert waiting(shop) == set()
    assert len(facts(shop, owner)) == 1


def test_like_facts_of_which_stripe_names_but_one_are_a_line_each(shop):
    owner = shop.subscribed()
    (charge,) = shop.stripe.objects("charge")
    for _ in range(2):
        shop.stripe.refund(charge["id"], 100)
    thin = [body for body in shop.stripe.take_events() if b"v1.refund.created" in body]
    shop.stripe.plan("GET", V2, fail(400))
    for body in thin:
        shop.do(shop.deliver(body))
    named = {event.snapshot_id for event in shop.events()}
    for body in sorted(snapshots(shop, "refund.created"), key=lambda body: json.loads(body)["id"] not in named):
        shop.do(shop.deliver(body))
    assert [line.amount for line in shop.log(owner)].count(-100) == 2


def test_the_end_of_a_customer_is_no_missed_event_when_its_snapshot_is_listed(shop):
    owner = shop.subscribed()
    shop.reconcile()
    shop.provider.delete_customer(shop.account(owner).customer_id)
    shop.hear()
    assert shop.account(owner).customer_id is None
    assert shop.reconcile().missed == 0


def test_only_of_what_is_logged_the_snapshot_is_asked_for(shop):
    owner = paid(shop)
    shop.stripe.cancel_later(shop.subscriptions(owner)[0]["id"])
    shop.hear()
    money = [event for event in shop.events() if event.type in LOGGED]
    assert len(shop.events()) > len(money) == 1
    assert [one.path for one in shop.stripe.asked("GET", V2)] == [V2 + money[0].event_id]
    assert {line.event_id for line in shop.log(owner)} == {money[0].snapshot_id}


@pytest.mark.parametrize("fault", [fail(403), fail(500), busy()])
def test_a_snapshot_that_stripe_will_not_name_holds_up_the_log_and_nothing_else(shop, fault):
    owner = paid(shop)
    shop.stripe.plan("GET", V2, fault, times=100)
    jobs = {shop.do(job).state for job in deliver_all(shop)}
    assert jobs == {"retrying", "succeeded"}
    assert shop.standing(owner) == ("active", "team")
    assert (waiting(shop), shop.log(owner)) == ({"invoice.paid"}, [])
    shop.stripe.faults.clear()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    shop.hear()
    assert (waiting(shop), len(shop.log(owner))) == (set(), 1)


def test_a_line_that_must_wait_keeps_no_other_waiting(shop):
    owner = paid(shop)
    shop.hear()
    (charge,) = shop.stripe.objects("charge")
    for amount in (100, 200, 300):
        shop.stripe.refund(charge["id"], amount)
    jobs = deliver_all(shop)
    shop.stripe.plan("GET", V2, fail(403), times=100)
    for job in jobs:
        shop.do(job)
    assert [line.amount for line in shop.log(owner)] == [4900]
    shop.stripe.faults.clear()
    shop.stripe.plan("GET", V2, fail(500))
    first = next(job for job in jobs if row_of(shop.control, job).state == "retrying")
    job = shop.do(first, now=True)
    assert (job.state, job.reason) == ("retrying", "billing_failed")
    assert len(shop.log(owner)) == 3
    assert shop.do(first, now=True).state == "succeeded"
    assert sorted(line.amount for line in shop.log(owner)) == [-300, -200, -100, 4900]


def test_what_thin_events_reported_is_not_missed(shop):
    owner = paid(shop)
    shop.stripe.cancel_later(shop.subscriptions(owner)[0]["id"])
    shop.hear()
    for _ in range(2):
        assert shop.reconcile().missed == 0
    assert all(event.thin for event in shop.events())


def test_reconciliation_finds_the_snapshots_that_stripe_would_not_name(shop):
    owner = paid(shop)
    shop.stripe.plan("GET", V2, fail(403), times=100)
    jobs = deliver_all(shop)
    for job in jobs:
        shop.do(job)
    assert shop.log(owner) == []
    assert shop.reconcile().missed == 0
    assert (waiting(shop), facts(shop, owner)) == (set(), [("invoice.paid", shop.log()[0].invoice_id, 4900)])
    assert {line.event_id for line in shop.log()} <= {event["id"] for event in shop.stripe.objects("event")}
    assert {shop.do(job, now=True).state for job in jobs} == {"succeeded"}
    assert len(shop.log()) == 1


def test_a_thin_event_whose_job_could_do_nothing_is_found_by_its_snapshot(shop):
    owner = paid(shop)
    deliver_all(shop)
    assert {event.customer_id for event in shop.events() if event.type in LOGGED} == {None}
    shop.reconcile()
    assert (waiting(shop) & LOGGED, len(shop.log(owner))) == (set(), 1)


@pytest.mark.parametrize("untied", [untie, lambda shop: shop.stripe.plan("GET", V2, fail(400), times=100)])
def test_without_a_tie_a_fact_is_one_line_whichever_form_comes_first(shop, untied):
    thin_first, snapshot_first = paid(shop), paid(shop)
    untied(shop)
    own = shop.account(snapshot_first).customer_id
    for body in snapshots(shop, "invoice.paid"):
        if json.loads(body)["data"]["object"]["customer"] == own:
            shop.do(shop.deliver(body))
    assert len(shop.log(snapshot_first)) == 1
    shop.hear()
    assert (len(shop.log(thin_first)), len(shop.log(snapshot_first))) == (1, 1)
    for _ in range(2):
        shop.reconcile()
    assert (len(shop.log(thin_first)), len(shop.log(snapshot_first)), waiting(shop)) == (1, 1, set())


def test_facts_that_are_alike_stay_as_many_as_they_were(shop):
    owner = paid(shop)
    shop.hear()
    (charge,) = shop.stripe.objects("charge")
    for _ in range(3):
        shop.stripe.refund(charge["id"], 100)
    untie(shop)
    lost, *told = [body for body in shop.stripe.take_events() if b"v1.refund.created" in body]
    assert len(told) == 2
    for body in told:
        shop.do(shop.deliver(body))
    assert [line.amount for line in shop.log(owner)].count(-100) == 2
    for _ in range(2):
        shop.reconcile()
    assert [line.amount for line in shop.log(owner)].count(-100) == 3
    shop.do(shop.deliver(lost))
    assert [line.amount for line in shop.log(owner)].count(-100) == 3


def test_a_lost_event_is_not_taken_for_one_received_at_the_same_moment(shop):
    owner = paid(shop)
    shop.hear()
    (charge,) = shop.stripe.objects("charge")
    for amount in (100, 200):
        shop.stripe.refund(charge["id"], amount)
    untie(shop)
    heard, _lost = [body for body in shop.stripe.take_events() if b"v1.refund.created" in body]
    shop.do(shop.deliver(heard))
    assert shop.reconcile().missed > 0
    assert sorted(line.amount for line in shop.log(owner)) == [-200, -100, 4900]


def test_a_fact_of_another_moment_is_another(shop):
    owner = paid(shop)
    untie(shop)
    shop.hear()
    (charge,) = shop.stripe.objects("charge")
    shop.stripe.refund(charge["id"], 100)
    shop.stripe.advance(timedelta(minutes=1))
    shop.stripe.refund(charge["id"], 100)
    untie(shop)
    first, _second = [body for body in shop.stripe.take_events() if b"v1.refund.created" in body]
    shop.do(shop.deliver(first))
    shop.do(shop.deliver(snapshots(shop, "refund.created")[1]))
    moments = sorted(line.occurred_at.timestamp() for line in shop.log(owner) if line.amount == -100)
    assert moments == [refund["created"] for refund in shop.stripe.objects("refund")]
