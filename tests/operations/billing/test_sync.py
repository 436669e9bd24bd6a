"""Syncing with Stripe: in whatever order, number or form events come, what is stored is what Stripe says."""

from __future__ import annotations

import json
import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.errors import Refused
from pigi.operations.billing import ACCOUNT, receive_webhook, request_sync
from pigi.operations.billing import events as billing_events
from pigi.operations.billing.sync import sync_customer
from pigi.ports.billing import CheckoutRequest, Contact
from standins.stripe.faults import FaultyStripe, busy, drop_before, fail, malformed, slow
from standins.stripe.server import Setup
from tests.support.billing import BUSINESS, Shop
from tests.support.jobs import raise_epoch, row_of
from tests.support.stack import until


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def outcomes(shop):
    return {event.outcome for event in shop.events()}


def test_events_in_any_order_and_number_lead_to_what_stripe_says(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.renew(subscription["id"], pay=False)
    shop.stripe.retry_payment(subscription["id"], pay=True)
    shop.stripe.change_plan(subscription["id"], BUSINESS)
    bodies = shop.stripe.take_events() * 5
    random.Random(7).shuffle(bodies)
    jobs = [job for job in map(shop.deliver, bodies) if job is not None]
    random.Random(8).shuffle(jobs)
    assert {shop.do(job).state for job in jobs} == {"succeeded"}
    assert shop.standing(owner) == (shop.truth(owner), "business") == ("active", "business")
    heard = [event.event_id for event in shop.events()]
    assert len(heard) == len(set(heard)) == len(jobs)
    assert outcomes(shop) == {"synced", "logged"}


def test_an_older_read_that_comes_back_late_changes_nothing(shop):
    owner = shop.subscribed()
    customer, begun = shop.account(owner).customer_id, threading.Event()
    provider = shop.provider

    class Overtaken:
        """Reads, then lets a younger read go by before it says what it read."""

        def __getattr__(self, name):
            return getattr(provider, name)

        def subscriptions_of(self, customer_id):
            found = provider.subscriptions_of(customer_id)
            begun.set()
            shop.stripe.set_status(found[0].id, "past_due")
            sync_customer(shop.application, provider, customer_id)
            return found

    sync_customer(shop.application, Overtaken(), customer)
    assert begun.is_set()
    assert shop.standing(owner)[0] == shop.truth(owner) == "past_due"


def test_one_read_serves_all_events_that_wait(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    jobs = [shop.deliver(body) for body in shop.stripe.take_events()]
    wanted = [job for job in jobs if job is not None]
    before = len(shop.stripe.asked("GET", "/v1/subscriptions"))
    for job in wanted:
        assert shop.do(job).state == "succeeded"
    assert len(wanted) > 3
    assert len(shop.stripe.asked("GET", "/v1/subscriptions")) == before + 1


@pytest.mark.parametrize(
    "fault", [fail(500), fail(503, after=True), busy(), drop_before(), malformed(), fail(401), fail(403)]
)
def test_whatever_stripe_answers_no_received_event_is_lost(shop, fault):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    job, *_ = [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]
    shop.stripe.plan("GET", "/v1/subscriptions", fault)
    assert shop.do(job).state == "retrying"
    assert shop.standing(owner) == ("none", None)
    assert shop.do(job, now=True).state == "succeeded"
    assert shop.standing(owner) == ("active", "team")


def test_a_busy_stripe_is_given_the_time_that_it_asks_for(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    job, *_ = [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]
    shop.stripe.plan("GET", "/v1/subscriptions", busy(90))
    row = shop.do(job)
    assert row.reason == "billing_busy"
    assert row.due_at - row.started_at >= timedelta(seconds=90)


def test_a_price_that_has_no_plan_is_an_alarm_and_takes_nothing_away(application, stripe):
    shop = Shop(application, stripe)
    owner = shop.subscribed("team")
    lacking = Shop(application, stripe, stripe_prices="price_team_month=team")
    stripe.change_plan(shop.subscriptions(owner)[0]["id"], BUSINESS)
    ended = {(job.state, job.reason) for job in lacking.hear()}
    assert ("failed", "billing_price_unknown") in ended
    assert lacking.standing(owner) == ("active", "team")


def test_a_customer_of_somebody_else_leaves_no_trace_but_the_event(shop):
    customer = shop.provider.create_customer("somebody-else", "k")
    asked = CheckoutRequest(customer, BUSINESS, "somebody-else", "no-job", "https://x.example", "https://x.example")
    shop.stripe.pay(shop.provider.create_checkout(asked, "k2").id)
    assert {job.state for job in shop.hear()} == {"succeeded"}
    assert outcomes(shop) == {"unknown"}
    assert {event.customer_id for event in shop.events()} == {None}
    assert shop.log() == []
    assert all(event.object_id is None for event in shop.events())


def test_a_customer_that_pigi_never_stored_is_known_by_its_metadata(shop):
    owner = shop.organisation()
    job = shop.checkout(owner)
    customer = shop.account(owner).customer_id
    with shop.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).values(customer_id=None))
    shop.stripe.pay(shop.session(owner, job))
    shop.hear()
    assert shop.account(owner).customer_id == customer
    assert shop.standing(owner) == ("active", "team")


def test_a_sync_can_be_asked_for(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    assert shop.do(request_sync(shop.application, owner).id).state == "succeeded"
    assert shop.standing(owner) == ("active", "team")


def test_a_sync_of_an_organisation_that_is_no_customer_asks_nobody(shop):
    owner = shop.organisation()
    assert shop.do(request_sync(shop.application, owner).id).state == "succeeded"
    assert shop.stripe.requests == []


def test_events_of_a_fenced_organisation_are_processed_with_the_next_that_comes(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    fenced = [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]
    raise_epoch(shop.control, owner.organisation_id)
    assert {shop.do(job).state for job in fenced} == {"cancelled"}
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    shop.hear()
    assert shop.standing(owner)[0] == shop.truth(owner)
    assert all(event.processed_at is not None for event in shop.events())


def test_a_slow_stripe_does_not_mix_two_customers_up(shop):
    first, second = shop.organisation(), shop.organisation()
    for owner, plan in ((first, "team"), (second, "business")):
        shop.stripe.pay(shop.session(owner, shop.checkout(owner, plan)))
    jobs = [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]
    shop.stripe.plan("GET", "/v1/subscriptions", slow(0.2), times=2)
    threads = [threading.Thread(target=shop.do, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.standing(first) == ("active", "team")
    assert shop.standing(second) == ("active", "business")


def test_a_customer_that_replaced_a_deleted_one_is_not_let_go_of_with_it(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    deleted = shop.account(owner).customer_id
    shop.provider.delete_customer(deleted)
    job = request_sync(shop.application, owner).id
    shop.stripe.plan("GET", f"/v1/customers/{deleted}", slow(1))
    reading = threading.Thread(target=shop.do, args=(job,))
    reading.start()
    until(lambda: shop.stripe.asked("GET", f"/v1/customers/{deleted}"), 10, "the deleted customer is being read")
    bought = shop.session(owner, shop.checkout(owner))
    reading.join()
    assert shop.account(owner).customer_id not in {None, deleted}
    shop.stripe.pay(bought)
    shop.hear()
    assert shop.standing(owner) == ("active", "team")


def test_the_price_of_a_plan_counts_beside_others(shop, stripe):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    added = stripe.account.of("subscription")[subscription["id"]]["items"]["data"]
    added.insert(0, {**added[0], "id": "si_fee", "price": {**added[0]["price"], "id": "price_of_a_fee"}})
    assert shop.do(request_sync(shop.application, owner).id).state == "succeeded"
    assert shop.standing(owner) == ("active", "team")


def test_a_key_of_another_account_takes_nothing_away(shop, application):
    owner = shop.subscribed()
    with FaultyStripe() as another:
        elsewhere = Shop(application, another)
        job = elsewhere.do(request_sync(elsewhere.application, owner).id)
        assert (job.state, job.reason) == ("failed", "billing_customer_unknown")
    assert shop.standing(owner) == ("active", "team")
    assert shop.account(owner).customer_id is not None


def test_the_waits_between_tries_last_for_hours(shop):
    owner = shop.subscribed()
    shop.stripe.plan("GET", "/v1/subscriptions", drop_before(), times=100)
    job, waited = request_sync(shop.application, owner).id, timedelta(0)
    while (row := shop.do(job, now=True)).state == "retrying":
        waited += row.due_at - now()
    assert (row.state, row.reason) == ("failed", "billing_unreachable")
    assert timedelta(hours=3) < waited < timedelta(hours=8)


# Thin events


@pytest.fixture
def thin_shop(application):
    with FaultyStripe(Setup(payload="thin")) as stripe:
        yield Shop(application, stripe)


def test_thin_events_lead_to_the_same(thin_shop):
    owner = thin_shop.subscribed()
    assert thin_shop.standing(owner) == ("active", "team")
    thin_shop.stripe.renew(thin_shop.subscriptions(owner)[0]["id"], pay=False)
    thin_shop.hear()
    assert thin_shop.standing(owner) == (thin_shop.truth(owner), "team") == ("past_due", "team")
    assert all(event.thin and event.customer_id for event in thin_shop.events())
    assert {line.event_type for line in thin_shop.log(owner)} == {"invoice.paid", "invoice.payment_failed"}


def test_what_comes_in_both_forms_counts_once(thin_shop):
    owner = thin_shop.organisation()
    thin_shop.stripe.pay(thin_shop.session(owner, thin_shop.checkout(owner)))
    snapshots = [event for event in thin_shop.stripe.account.of("event").values() if event["type"] == "invoice.paid"]
    assert len(snapshots) == 1
    body = json.dumps({name: value for name, value in snapshots[0].items() if not name.startswith("_")}).encode()
    assert thin_shop.do(thin_shop.deliver(body)).state == "succeeded"
    thin_shop.hear()
    assert [line.event_type for line in thin_shop.log(owner)] == ["invoice.paid"]


# The webhook's door


def test_what_stripe_did_not_sign_makes_no_event_and_no_job(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    body = shop.stripe.take_events()[-1]
    forged = [
        shop.stripe.sign(body, "whsec_guessed"),
        shop.stripe.sign(body, at=shop.stripe.account.now() - 301),
        shop.stripe.sign(body + b" "),
        "t=1,v1=",
        "",
        "rubbish",
    ]
    for signature in forged:
        with pytest.raises(Refused, match="webhook_refused"):
            receive_webhook(shop.application, body, signature)
    assert shop.events() == []


def altered(body, sort=None, **about):
    """An event's body with another type, or with something else in its object."""
    event = json.loads(body)
    event["type"] = sort or event["type"]
    event["data"]["object"] |= about
    return json.dumps(event).encode()


def test_an_event_of_something_else_is_answered_well_whatever_its_ids_are(shop):
    shop.subscribed()
    shop.stripe.set_status(shop.stripe.objects("subscription")[0]["id"], "past_due")
    body, *_ = shop.stripe.take_events()
    heard = len(shop.events())
    for sort, name in (
        ("coupon.created", "SUMMER-20"),
        ("plan.created", "gold-monthly"),
        ("product.created", "Größe L"),
    ):
        assert shop.deliver(altered(body, sort, id=name)) is None
    assert shop.deliver(altered(body, "v2.core.account[identity].updated", id="acct 1")) is None
    assert len(shop.events()) == heard


@pytest.mark.parametrize("name", ["Paula's, from the old shop", "x" * 81, ["cus_1"]])
def test_a_handled_event_whose_ids_are_none_ends_as_unknown(shop, name):
    shop.subscribed()
    shop.stripe.set_status(shop.stripe.objects("subscription")[0]["id"], "past_due")
    body, *_ = shop.stripe.take_events()
    job = shop.deliver(altered(body, id=name, customer=name))
    assert (shop.do(job).state, shop.events()[-1].outcome) == ("succeeded", "unknown")


def test_a_strangers_id_from_another_system_ends_as_any_strangers(shop):
    made = shop.stripe.account.of("customer")
    made["legacy:42"] = made.pop(shop.provider.create_customer("somebody", "k1")) | {"id": "legacy:42"}
    shop.provider.update_customer("legacy:42", Contact("Old", "old@example.com"), "k2")
    (updated,) = [body for body in shop.stripe.take_events() if b"customer.updated" in body]
    job = shop.deliver(updated)
    assert shop.events()[-1].customer_id == "legacy:42"
    assert (shop.do(job).state, shop.events()[-1].outcome) == ("succeeded", "unknown")


def test_two_secrets_hold_while_one_replaces_the_other(application, stripe):
    owner = Shop(application, stripe).subscribed()
    old, new = stripe.secret, "whsec_the_next"
    both = Shop(application, stripe, stripe_webhook_secret=f"{new},{old}")
    stripe.set_status(both.subscriptions(owner)[0]["id"], "past_due")
    body, *_ = stripe.take_events()
    assert both.deliver(body, stripe.sign(body, old)) is not None
    assert both.deliver(body, stripe.sign(body, new)) is None
    after = Shop(application, stripe, stripe_webhook_secret=new)
    with pytest.raises(Refused, match="webhook_refused"):
        after.deliver(body, stripe.sign(body, old))


def test_an_event_of_live_money_is_not_for_an_installation_that_tests(application, stripe):
    shop = Shop(application, stripe)
    live = Shop(application, stripe, stripe_api_key="sk_live_x")
    owner = shop.subscribed()
    stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    body, *_ = stripe.take_events()
    with pytest.raises(Refused, match="webhook_refused"):
        live.deliver(body)
    assert shop.deliver(body) is not None


def test_an_event_and_its_job_are_written_together_or_not_at_all(shop, monkeypatch):
    owner = shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    body, *_ = shop.stripe.take_events()

    def breaks(*_arguments, **_options):
        raise OSError

    heard = len(shop.events())
    with monkeypatch.context() as patch:
        patch.setattr(billing_events, "enqueue", breaks)
        with pytest.raises(OSError):
            shop.deliver(body)
    assert len(shop.events()) == heard
    job = shop.deliver(body)
    assert row_of(shop.control, job).subject_id == shop.events()[-1].id
