"""The life of a subscription: after each step at Stripe's, Pigi stores what Stripe has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.operations.plans import plan_of
from tests.support.billing import BUSINESS, Shop


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def test_a_checkout_that_is_paid_makes_the_plan_apply(shop):
    owner = shop.organisation()
    assert plan_of(shop.application, owner.organisation_id).name == "free"
    job_id = shop.checkout(owner, "team")
    assert shop.url(owner, job_id).startswith(f"{shop.stripe.url}/pay/cs_test_")
    assert shop.standing(owner) == ("none", None)
    shop.stripe.pay(shop.session(owner, job_id))
    assert {job.state for job in shop.hear()} == {"succeeded"}
    assert shop.standing(owner) == (shop.truth(owner), "team") == ("active", "team")
    assert plan_of(shop.application, owner.organisation_id).name == "team"


def test_a_checkout_that_nobody_pays_changes_nothing(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    shop.stripe.advance(timedelta(days=2))
    shop.hear()
    assert shop.standing(owner) == ("none", None)
    assert plan_of(shop.application, owner.organisation_id).name == "free"


def test_a_checkout_whose_payment_is_never_confirmed_gives_no_plan(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)), "incomplete")
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), None) == ("incomplete", None)
    shop.stripe.advance(timedelta(days=1))
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), None) == ("incomplete_expired", None)


def test_an_upgrade_in_the_portal_changes_the_plan(shop):
    owner = shop.subscribed("team")
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.change_plan(subscription["id"], BUSINESS)
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), "business") == ("active", "business")


def test_a_late_payment_keeps_the_plan_until_stripe_gives_up(shop):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.renew(subscription["id"], pay=False)
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), "team") == ("past_due", "team")
    shop.stripe.retry_payment(subscription["id"], pay=True)
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), "team") == ("active", "team")
    shop.stripe.renew(subscription["id"], pay=False)
    shop.stripe.give_up(subscription["id"], "unpaid")
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), None) == ("unpaid", None)


def test_a_cancellation_counts_from_the_end_of_what_was_paid(shop):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.cancel_later(subscription["id"])
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), "team") == ("active", "team")
    shop.stripe.advance(timedelta(days=32))
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), None) == ("canceled", None)


def test_whoever_cancelled_can_buy_again_as_the_same_customer(shop):
    owner = shop.subscribed()
    customer = shop.account(owner).customer_id
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "canceled")
    shop.hear()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner, "business")))
    shop.hear()
    assert shop.standing(owner) == (shop.truth(owner), "business") == ("active", "business")
    assert shop.account(owner).customer_id == customer
    assert len(shop.customers(owner)) == 1


def test_a_customer_that_was_deleted_at_stripes_has_nothing_and_can_begin_anew(shop):
    owner = shop.subscribed()
    shop.provider.delete_customer(shop.account(owner).customer_id)
    shop.hear()
    assert shop.account(owner).customer_id is None
    assert shop.account(owner).plan is None
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.hear()
    assert shop.standing(owner) == ("active", "team")


@pytest.mark.parametrize("status", ["trialing", "paused", "unpaid", "past_due", "canceled", "incomplete"])
def test_every_status_is_stored_in_stripes_own_word(shop, status):
    owner = shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], status)
    shop.hear()
    assert shop.account(owner).status == shop.truth(owner) == status
    entitled = status in {"trialing", "past_due"}
    assert plan_of(shop.application, owner.organisation_id).name == ("team" if entitled else "free")


def test_of_several_subscriptions_the_best_counts(shop):
    owner = shop.subscribed("business")
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "canceled")
    shop.hear()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner, "team")))
    shop.hear()
    assert [one["status"] for one in shop.subscriptions(owner)] == ["canceled", "active"]
    assert shop.standing(owner) == ("active", "team")
