"""Checkout and portal: each page is opened once, whatever happens on the way, and only its asker gets to it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.domain.subscriptions import ENDED
from pigi.errors import Refused
from pigi.jobs.kinds import OPEN_CHECKOUT
from pigi.jobs.queues import QUEUES
from pigi.operations.billing import grant_plan, read_billing, read_link, request_checkout, request_portal
from pigi.operations.billing.overview import LINK, MOST_WAITING
from pigi.operations.deletion import delete_organisation
from pigi.operations.jobs import retry_job
from pigi.ports.billing import CheckoutRequest
from standins.stripe.faults import drop_after, drop_before, fail, hang_after, malformed, slow
from tasks import organisations  # noqa: F401 - registers bodies
from tests.support.billing import BUSINESS, HOME, LIMITS, TEAM, Shop
from tests.support.jobs import change, lapse, row_of
from tests.support.stack import until

AFTER_THE_ACT = [drop_after(), fail(500, after=True), malformed()]


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def sessions(shop, **wanted):
    found = shop.stripe.objects("checkout.session")
    return [one for one in found if all(one[name] == value for name, value in wanted.items())]


# What is asked of Stripe


def test_a_checkout_says_who_buys_what_and_where_to_come_back(shop):
    owner = shop.organisation("Harbour Works", "olga@example.com")
    job = shop.checkout(owner, "team")
    (session,) = sessions(shop)
    assert session["success_url"] == f"{HOME}/o/{owner.organisation_id}/billing/return"
    assert session["cancel_url"] == f"{HOME}/o/{owner.organisation_id}/billing"
    assert session["metadata"]["job"] == job
    (customer,) = shop.customers(owner)
    assert (customer["name"], customer["email"]) == ("Harbour Works", "olga@example.com")
    assert {key: effect.state for key, effect in shop.effects(job).items()} == {
        "customer": "done", "contact": "done", "checkout": "done",
    }  # fmt: skip


def test_the_price_can_be_chosen_among_those_of_the_plan(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner, "team", "price_team_year")))
    assert shop.subscriptions(owner)[0]["items"]["data"][0]["price"]["id"] == "price_team_year"


@pytest.mark.parametrize(
    ("plan", "price"), [("free", None), ("platinum", None), ("", None), ("team", BUSINESS), ("team", "x")]
)
def test_what_is_not_on_offer_cannot_be_bought(shop, plan, price):
    owner = shop.organisation()
    with pytest.raises(Refused, match="invalid"):
        request_checkout(shop.application, owner, plan, price)


def test_the_portal_opens_for_a_customer_and_at_the_page_for_a_new_card(shop):
    owner = shop.subscribed()
    for page in ("portal", "payment-method"):
        job = request_portal(shop.application, owner, page).id
        assert shop.do(job).state == "succeeded"
        assert shop.url(owner, job).startswith(f"{shop.stripe.url}/portal/")
    asked = [request.parameters for request in shop.stripe.asked("POST", "/v1/billing_portal/sessions")]
    assert "flow_data[type]" not in asked[0]
    assert asked[1]["flow_data[type]"] == "payment_method_update"


def test_there_is_no_portal_for_whoever_has_bought_nothing(shop):
    with pytest.raises(Refused, match="billing_no_customer"):
        request_portal(shop.application, shop.organisation())


def test_whoever_has_a_subscription_cannot_buy_another(shop):
    owner = shop.subscribed()
    with pytest.raises(Refused, match="already_subscribed"):
        request_checkout(shop.application, owner, "business")


def test_nor_if_no_event_of_the_first_has_arrived_yet(shop):
    owner = shop.organisation()
    first = shop.session(owner, shop.checkout(owner))
    late = request_checkout(shop.application, owner, "business").id
    shop.stripe.pay(first)
    row = shop.do(late)
    assert (row.state, row.reason) == ("failed", "already_subscribed")
    assert shop.standing(owner) == ("active", "team")
    assert len(sessions(shop)) == 1


def test_only_one_page_of_an_organisation_can_be_paid_at_a_time(shop):
    owner = shop.organisation()
    first, second = shop.checkout(owner), shop.checkout(owner, "business")
    assert [one["metadata"]["job"] for one in sessions(shop, status="open")] == [second]
    assert [one["metadata"]["job"] for one in sessions(shop, status="expired")] == [first]


def test_an_archived_price_is_not_on_offer_and_keeps_its_plan_for_whoever_pays_it(shop):
    payer, owner = shop.subscribed("team"), shop.organisation()
    shop.stripe.account.of("price")[TEAM]["active"] = False
    shop.reconcile()
    assert [price.price_id for _, prices in read_billing(shop.application, owner).offers for price in prices] == [
        "price_team_year", BUSINESS,
    ]  # fmt: skip
    with pytest.raises(Refused, match="invalid"):
        request_checkout(shop.application, owner, "team", TEAM)
    assert shop.standing(payer) == ("active", "team")


# Each once


@pytest.mark.parametrize("fault", AFTER_THE_ACT, ids=lambda fault: fault.name)
@pytest.mark.parametrize("hours", [0, 25])
def test_a_customer_whose_making_was_never_confirmed_is_not_made_again(shop, fault, hours):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/customers", fault)
    job = request_checkout(shop.application, owner, "team").id
    assert shop.do(job).state == "retrying"
    assert len(shop.customers(owner)) == 1
    shop.stripe.advance(timedelta(hours=hours))
    assert shop.do(job, now=True).state == "succeeded"
    assert [one["id"] for one in shop.customers(owner)] == [shop.account(owner).customer_id]


def test_an_answer_that_never_comes_leads_to_no_second_customer_or_checkout(application, stripe):
    hasty = Shop(application, stripe, replace(LIMITS, read=1.0))
    owner = hasty.organisation()
    for path in ("/v1/customers", "/v1/checkout/sessions"):
        stripe.plan("POST", path, hang_after())
    job = request_checkout(hasty.application, owner, "team").id
    while hasty.do(job, now=True).state == "retrying":
        stripe.advance(timedelta(hours=2))
    assert row_of(hasty.control, job).state == "succeeded"
    assert len(hasty.customers(owner)) == len(sessions(hasty)) == 1


def test_nor_by_another_job_days_later(shop):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/customers", drop_after(), times=5)
    job = request_checkout(shop.application, owner, "team").id
    while shop.do(job, now=True).state == "retrying":
        shop.stripe.advance(timedelta(hours=30))
    shop.stripe.faults.clear()
    made = len(shop.customers(owner))
    assert shop.do(request_checkout(shop.application, owner, "team").id).state == "succeeded"
    assert len(shop.customers(owner)) == made == 1


@pytest.mark.parametrize("fault", AFTER_THE_ACT, ids=lambda fault: fault.name)
def test_a_checkout_whose_making_was_never_confirmed_is_not_made_again(shop, fault):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/checkout/sessions", fault)
    job = request_checkout(shop.application, owner, "team").id
    assert shop.do(job).state == "retrying"
    assert shop.do(job, now=True).state == "succeeded"
    (session,) = sessions(shop)
    assert shop.session(owner, job) == session["id"]
    assert shop.effects(job)["checkout"].tries == 2


def test_nor_when_its_key_was_forgotten_meanwhile(shop):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/checkout/sessions", drop_after())
    job = request_checkout(shop.application, owner, "team").id
    shop.do(job)
    shop.stripe.account.stored.clear()
    assert shop.do(job, now=True).state == "succeeded"
    assert len(sessions(shop)) == 1


@pytest.mark.parametrize("hours", [25, 80])
def test_nor_when_it_has_run_out_meanwhile(shop, hours):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/checkout/sessions", drop_after())
    job = request_checkout(shop.application, owner, "team").id
    shop.do(job)
    shop.stripe.advance(timedelta(hours=hours))
    row = shop.do(job, now=True)
    assert (row.state, row.reason) == ("failed", "billing_moot")
    assert len(sessions(shop)) == 1


def test_a_page_that_nobody_waits_for_any_more_is_not_opened(shop):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/customers", drop_before())
    job = request_checkout(shop.application, owner, "team").id
    shop.do(job)
    with shop.control.autocommit() as connection:
        connection.execute(update(LINK).values(created_at=now() - timedelta(hours=23, minutes=1)))
    row = shop.do(job, now=True)
    assert (row.state, row.reason) == ("failed", "billing_moot")


def test_askers_at_once_share_one_customer(shop):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/customers", slow(0.3))
    jobs = [request_checkout(shop.application, owner, "team").id for _ in range(3)]
    threads = [threading.Thread(target=shop.do, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        while shop.do(job, now=True).state == "retrying":
            pass
    assert len(shop.customers(owner)) == 1


def test_a_worker_that_dies_with_the_page_open_does_not_open_a_second(shop, monkeypatch):
    from pigi.operations.billing import checkouts as billing_checkouts

    owner = shop.organisation()
    job = request_checkout(shop.application, owner, "team").id

    class DiedError(BaseException):
        """The worker is gone, with all that it knew."""

    def dies(*_arguments):
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(billing_checkouts, "keep_url", dies)
        with pytest.raises(DiedError):
            shop.do(job)
    lapse(shop.control, job)
    change(shop.control, job, state="retrying", lease_until=None, published_at=None)
    assert shop.do(job, now=True).state == "succeeded"
    assert len(sessions(shop)) == 1


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/checkout/sessions"])
def test_a_failure_that_stripe_repeats_to_a_key_for_a_day_holds_nothing_up(shop, path):
    owner = shop.organisation()
    shop.stripe.plan("POST", path, fail(500, stored=True))
    job = request_checkout(shop.application, owner, "team").id
    while shop.do(job, now=True).state == "retrying":
        pass
    assert row_of(shop.control, job).state == "succeeded"
    assert len(shop.customers(owner)) == len(sessions(shop, status="open")) == 1


def test_a_checkout_that_failed_and_is_done_again_by_hand_opens_its_page(shop):
    owner = shop.organisation()
    shop.stripe.plan("POST", "/v1/checkout/sessions", fail(503), times=2 * OPEN_CHECKOUT.attempts)
    job = request_checkout(shop.application, owner, "team").id
    while shop.do(job, now=True).state == "retrying":
        pass
    shop.stripe.faults.clear()
    retry_job(shop.application, job, owner.organisation_id, None)
    assert shop.do(job).state == "succeeded"
    assert shop.url(owner, job) is not None


def at_once(shop, *jobs):
    threads = [threading.Thread(target=shop.do, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_two_checkouts_at_once_one_can_be_paid(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    jobs = [request_checkout(shop.application, owner, "team").id for _ in range(2)]
    shop.stripe.plan("POST", "/v1/checkout/sessions", slow(0.5), times=2)
    at_once(shop, *jobs)
    assert len(sessions(shop, status="open")) == 1
    assert shop.session(owner, jobs[1]) == sessions(shop, status="open")[0]["id"]


def test_an_older_checkout_that_is_tried_again_does_not_close_the_page_that_was_asked_for_since(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    shop.stripe.plan("POST", "/v1/checkout/sessions", fail(503))
    older = request_checkout(shop.application, owner, "team").id
    assert shop.do(older).state == "retrying"
    newer = shop.checkout(owner, "business")
    row = shop.do(older, now=True)
    assert (row.state, row.reason) == ("failed", "billing_moot")
    assert [one["id"] for one in sessions(shop, status="open")] == [shop.session(owner, newer)]


def while_it_is_made(shop, owner, happens):
    """Ask for a checkout, and let something happen after Pigi looked and before Stripe has made it; the job's row."""
    job = request_checkout(shop.application, owner, "team").id
    shop.stripe.plan("POST", "/v1/checkout/sessions", slow(1))
    asked = len(shop.stripe.asked("POST", "/v1/checkout/sessions"))
    doing = threading.Thread(target=shop.do, args=(job,))
    doing.start()
    until(lambda: len(shop.stripe.asked("POST", "/v1/checkout/sessions")) > asked, 10, "the page is being made")
    happens()
    doing.join()
    return row_of(shop.control, job)


def test_a_page_that_is_made_beside_a_purchase_is_closed_again(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    customer = shop.account(owner).customer_id
    asked = CheckoutRequest(customer, TEAM, owner.organisation_id, "by-hand", HOME, HOME)

    def somebody_buys():
        shop.stripe.pay(shop.provider.create_checkout(asked, "by-hand").id)

    row = while_it_is_made(shop, owner, somebody_buys)
    assert (row.state, row.reason) == ("failed", "already_subscribed")
    assert sessions(shop, status="open") == []


def test_a_page_that_is_made_while_the_organisation_is_deleted_is_closed_again(shop):
    owner = shop.organisation()
    shop.checkout(owner)
    row = while_it_is_made(shop, owner, lambda: shop.do(delete_organisation(shop.application, owner).id))
    assert (row.state, row.reason) == ("failed", "billing_moot")
    assert sessions(shop, status="open") == []


def test_a_page_that_is_made_while_a_plan_is_given_is_closed_again(shop):
    owner = shop.organisation()
    shop.checkout(owner)

    def give():
        with shop.control.begin() as session:
            grant_plan(session, shop.application, owner.organisation_id, "business", "operator:cli")

    assert while_it_is_made(shop, owner, give).state == "failed"
    assert sessions(shop, status="open") == []


def test_a_purchase_that_was_never_paid_is_ended_before_the_next(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)), "incomplete")
    ((subscription, status),) = [(one["id"], one["status"]) for one in shop.subscriptions(owner)]
    assert status == "incomplete"
    job = shop.checkout(owner)
    assert shop.truth(owner) in ENDED
    assert shop.provider.open_invoices(shop.account(owner).customer_id, subscription) == []
    shop.stripe.pay(shop.session(owner, job))
    assert [one["status"] for one in shop.subscriptions(owner)].count("active") == 1


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/invoices"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("fault", [fail(503), drop_after()], ids=lambda fault: fault.name)
def test_nor_does_anything_of_it_stay_to_be_paid_when_that_breaks_off(shop, method, path, fault):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)), "incomplete")
    job = request_checkout(shop.application, owner, "team").id
    shop.stripe.plan(method, path, fault)
    while shop.do(job, now=True).state == "retrying":
        pass
    assert row_of(shop.control, job).state == "succeeded"
    assert {one["status"] for one in shop.stripe.objects("invoice")} <= {"void", "paid"}
    assert {effect.state for effect in shop.effects(job).values()} == {"done"}


def test_a_customer_that_replaces_one_removes_its_id_from_stored_events(shop):
    owner = shop.subscribed()
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "canceled")
    shop.hear()
    deleted = shop.account(owner).customer_id
    shop.provider.delete_customer(deleted)
    shop.checkout(owner)
    assert shop.account(owner).customer_id != deleted
    assert deleted not in {event.customer_id for event in shop.events()}


# Who gets to the page


def test_the_page_is_sealed_and_shown_to_its_organisation_alone(shop):
    owner, other = shop.organisation(), shop.organisation()
    job = shop.checkout(owner)
    link = row_of(shop.control, job).subject_id
    assert shop.url(owner, job) is not None
    with pytest.raises(Refused, match="not_found"):
        read_link(shop.application, other, link)
    with shop.control.autocommit() as connection:
        stored = connection.exec_driver_sql("SELECT url FROM billing_link").scalar_one()
    assert b"/pay/" not in bytes(stored)
    assert "pay" not in repr(read_link(shop.application, owner, link))


@pytest.mark.parametrize("link", ["", "x", "00000000-0000-7000-8000-000000000000"])
def test_a_page_that_is_not_there_is_not_found(shop, link):
    with pytest.raises(Refused, match="not_found"):
        read_link(shop.application, shop.organisation(), link)


def test_nobody_can_have_pages_made_without_end(shop):
    owner = shop.organisation()
    concurrency = QUEUES[OPEN_CHECKOUT.queue].concurrency
    for _ in range(concurrency + MOST_WAITING):
        request_checkout(shop.application, owner, "team")
    with pytest.raises(Refused, match="too_many_in_flight"):
        request_checkout(shop.application, owner, "team")


# How an organisation stands


def test_an_organisation_sees_its_plan_what_it_uses_and_what_it_can_buy(shop):
    owner = shop.organisation()
    shop.reconcile()
    view = read_billing(shop.application, owner)
    assert (view.plan.name, view.status, view.customer, view.buys) == ("free", "none", False, True)
    assert (view.use.members, view.use.resources, view.use.generations_today) == (1, 0, 0)
    offered = {
        plan.name: [(price.price_id, price.amount, price.interval) for price in prices] for plan, prices in view.offers
    }
    assert offered["team"] == [(TEAM, 4900, "month"), ("price_team_year", 49000, "year")]
    assert list(offered) == ["team", "business"]


def test_a_plan_that_an_operator_gave_needs_no_customer(shop):
    owner = shop.organisation()
    with shop.control.begin() as session:
        grant_plan(session, shop.application, owner.organisation_id, "business", "operator:cli")
    view = read_billing(shop.application, owner)
    assert (view.plan.name, view.granted, view.buys) == ("business", True, False)
    with pytest.raises(Refused, match="plan_granted"):
        request_checkout(shop.application, owner, "team")


def test_a_plan_that_is_given_while_a_page_is_asked_for_leaves_nothing_to_pay(shop):
    owner = shop.organisation()
    job = request_checkout(shop.application, owner, "team").id
    with shop.control.begin() as session:
        grant_plan(session, shop.application, owner.organisation_id, "business", "operator:cli")
    row = shop.do(job)
    assert (row.state, row.reason) == ("failed", "plan_granted")
    assert sessions(shop) == []
    with shop.control.begin() as session:
        grant_plan(session, shop.application, owner.organisation_id, None, "operator:cli")
    assert read_billing(shop.application, owner).plan.name == "free"


@pytest.mark.parametrize(("organisation", "plan"), [("x", "team"), ("own", "platinum")])
def test_an_operator_cannot_give_what_is_not_there(shop, organisation, plan):
    where = shop.organisation().organisation_id if organisation == "own" else organisation
    with shop.control.begin() as session, pytest.raises(Refused, match="not_found"):
        grant_plan(session, shop.application, where, plan, "operator:cli")


def test_where_nobody_is_charged_nothing_can_be_bought(application, stripe):
    free = Shop(application, stripe, stripe_prices="", stripe_api_key="", stripe_webhook_secret="")
    owner = free.organisation()
    assert read_billing(free.application, owner).plan.name == "unmetered"
    for ask in (
        lambda: request_checkout(free.application, owner, "team"),
        lambda: request_portal(free.application, owner),
    ):
        with pytest.raises(Refused, match="billing_off"):
            ask()
