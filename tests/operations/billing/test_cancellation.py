"""Ending what an organisation has at Stripe's: from then on nothing is collected, each act is had once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import JobContext
from pigi.jobs.kind import Delivery, Kind
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.billing import end_subscriptions, remove_customer
from standins.stripe.faults import drop_after, fail
from tests.support.billing import Shop
from tests.support.jobs import ask, change, handle, row_of


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


@pytest.fixture
def ending(monkeypatch):
    """A kind that ends what an organisation has; Pigi's own, as deletion is."""
    effects = dict.fromkeys(("subscription", "invoice", "customer"), Delivery.EXACTLY)
    kind = Kind("tests.ending", queue="billing", effects=effects)
    monkeypatch.setitem(CATALOGUE, kind.name, kind)
    return kind


def do(shop, kind, owner, act, job=None):
    """Queue the act and answer its notification once, or again; the job's row."""
    job = job or ask(shop.control, kind)
    change(shop.control, job, due_at=timedelta(seconds=-1))

    def body(context: JobContext, _worker_context):
        act(context, shop.application, shop.provider, owner.organisation_id)

    run(handle(kind, body), job, shop.worker_context)
    return row_of(shop.control, job)


def test_the_subscription_ends_and_nothing_stays_open(shop, ending):
    owner = shop.subscribed()
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    shop.hear()
    assert do(shop, ending, owner, end_subscriptions).state == "succeeded"
    assert shop.standing(owner) == (shop.truth(owner), None) == ("canceled", None)
    assert {one["status"] for one in shop.stripe.objects("invoice")} <= {"paid", "void"}
    mails = len(shop.stripe.mails)
    shop.stripe.advance(timedelta(days=100))
    assert len(shop.stripe.mails) == mails


def test_a_checkout_that_is_open_can_no_longer_be_paid(shop, ending):
    owner = shop.organisation()
    shop.checkout(owner)
    do(shop, ending, owner, end_subscriptions)
    assert [one["status"] for one in shop.stripe.objects("checkout.session")] == ["expired"]


def test_an_organisation_that_is_no_customer_asks_nobody(shop, ending):
    assert do(shop, ending, shop.organisation(), remove_customer).state == "succeeded"
    assert shop.stripe.requests == []


def test_a_customer_whose_making_was_never_confirmed_is_found_and_removed(shop, ending):
    from pigi.operations.billing import request_checkout

    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/customers", drop_after())
    shop.do(request_checkout(shop.application, owner, "team").id)
    assert shop.account(owner).customer_id is None
    do(shop, ending, owner, remove_customer)
    assert shop.customers(owner) == []


@pytest.mark.parametrize("fault", [drop_after(), fail(500), fail(500, after=True)], ids=lambda fault: fault.name)
@pytest.mark.parametrize(
    "call", [("DELETE", "/v1/subscriptions/"), ("GET", "/v1/subscriptions"), ("DELETE", "/v1/customers/")]
)
def test_it_goes_on_where_it_broke_off(shop, ending, fault, call):
    owner = shop.subscribed()
    shop.stripe.plan(*call, fault)
    row = do(shop, ending, owner, remove_customer)
    assert row.state == "retrying"
    assert do(shop, ending, owner, remove_customer, row.id).state == "succeeded"
    assert shop.customers(owner) == []
    assert shop.account(owner).customer_id is None
    assert {one["status"] for one in shop.stripe.objects("subscription")} == {"canceled"}
    assert {effect.state for effect in shop.effects(row.id).values()} == {"done"}


def test_the_log_stays_and_goes_on_when_the_customer_is_gone(shop, ending):
    owner = shop.subscribed()
    (paid,) = shop.log(owner)
    (charge,) = shop.stripe.objects("charge")
    do(shop, ending, owner, remove_customer)
    shop.hear()
    shop.refund(charge["id"])
    shop.hear()
    assert {line.status for line in shop.log()} == {"paid", "refunded"}
    assert {line.customer_id for line in shop.log()} == {paid.customer_id}
    assert {event.customer_id for event in shop.events()} == {None}
