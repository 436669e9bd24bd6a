"""Billing over HTTP: who sees what, and the jobs that lead to pages at Stripe's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from pigi.application import Application
from pigi.domain.access import Role
from pigi.operations.billing import grant_plan
from pigi.operations.billing.overview import LINK
from pigi.operations.jobs import list_jobs
from standins.stripe.faults import FaultyStripe
from tests.support.billing import BUSINESS, TEAM, Shop, charging
from tests.support.http import bearer
from tests.support.people import make_key, make_member, sign_in
from tests.support.stack import until
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from pigi.domain.access import Caller
    from pigi.settings import Settings
    from tests.support.http import Client

FREE = {
    "members": 5,
    "resources": 100,
    "generations_a_day": 50,
    "log_days": 30,
    "bytes": 104_857_600,
    "writes_a_day": 5_000,
}
SOON = 20.0


@pytest.fixture
def stripe() -> Iterator[FaultyStripe]:
    """Stripe, as a stand-in."""
    with FaultyStripe() as server:
        yield server


@pytest.fixture
def application(settings: Settings, stripe: FaultyStripe) -> Iterator[Application]:
    """An application that charges."""
    opened = Application.open(charging(settings, stripe))
    yield opened
    opened.dispose()


@pytest.fixture
def shop(application: Application, stripe: FaultyStripe) -> Shop:
    """Both sides, and a worker's hands."""
    return Shop(application, stripe)


@pytest.fixture
def browser(app: Flask, application: Application) -> Callable[[Caller], Client]:
    """Makes a browser in which somebody is signed in."""
    return lambda caller: sign_in(app, application, caller.account_id or "")


def place(caller: Caller, rest: str = "") -> str:
    """A path about the organisation's money."""
    return f"/api/v1/organisations/{caller.organisation_id}/billing{rest}"


def links(application: Application) -> int:
    """How many pages were asked for."""
    with application.control.read() as session:
        return session.scalar(select(func.count()).select_from(LINK)) or 0


def test_an_organisation_that_bought_nothing_sees_its_plan_and_what_there_is(
    shop: Shop, browser: Callable[[Caller], Client]
) -> None:
    owner = shop.organisation()
    answer = browser(owner).get(place(owner))
    told = answer.json
    offers = told.pop("offers")

    assert answer.status_code == 200
    assert told == {
        "charged": True,
        "plan": {"name": "free", "title": "Free", "limits": FREE},
        "granted": False,
        "status": "none",
        "customer": False,
        "wants_payment": False,
        "buys": True,
        "read_at": None,
        "subscription": None,
        "use": {"members": 1, "resources": 0, "generations_today": 0, "bytes": 0, "writes_today": 0},
    }
    assert [(one["plan"], [price["id"] for price in one["prices"]]) for one in offers] == [
        ("team", [TEAM, "price_team_year"]),
        ("business", [BUSINESS]),
    ]
    assert offers[0]["prices"][0] == {
        "id": TEAM, "amount": None, "currency": None, "interval": None, "interval_count": 1,
    }  # fmt: skip


def test_prices_are_told_once_stripe_was_asked(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    shop.reconcile()
    offers = browser(owner).get(place(owner)).json["offers"]
    price = {"id": TEAM, "amount": 4900, "currency": "eur", "interval": "month", "interval_count": 1}

    assert offers[0]["prices"][0] == price


def test_a_member_sees_what_was_bought(app: Flask, shop: Shop) -> None:
    owner = shop.subscribed("team")
    member = sign_in(app, shop.application, make_member(shop.application, owner.organisation_id))
    told = member.get(place(owner)).json

    assert (told["plan"]["name"], told["status"], told["customer"], told["buys"]) == ("team", "active", True, False)
    assert told["use"]["members"] == 2
    assert told["read_at"].endswith("Z")


def test_a_late_payment_is_told(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.subscribed("team")
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"], pay=False)
    shop.hear()
    told = browser(owner).get(place(owner)).json

    assert (told["status"], told["wants_payment"], told["plan"]["name"]) == ("past_due", True, "team")


def test_what_an_operator_gave_need_not_be_bought(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    with shop.control.begin() as session:
        grant_plan(session, shop.application, owner.organisation_id, "business", "operator:cli")
    told = browser(owner).get(place(owner)).json

    assert (told["plan"]["name"], told["granted"], told["buys"], told["customer"]) == ("business", True, False, False)


def test_a_checkout_is_a_job_that_leads_to_its_page(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    client = browser(owner)
    asked = client.post(place(owner, "/checkout"), json={"plan": "team"})
    job, link = asked.json, asked.json["links"]["result"]
    before = client.get(link).json
    shop.do(job["id"])
    after, done = client.get(link), client.get(job["links"]["self"])

    assert (asked.status_code, asked.headers["Location"]) == (202, job["links"]["self"])
    assert (job["kind"], job["state"]) == ("billing.checkout", "queued")
    assert link == place(owner, f"/links/{job['subject_id']}")
    assert (before["page"], before["url"]) == ("checkout", None)
    assert after.json == {**before, "url": after.json["url"]}
    assert after.json["url"].startswith(f"{shop.stripe.url}/pay/cs_test_")
    assert after.headers["Cache-Control"] == "no-store"
    # Whoever may follow the job is not thereby somebody who may open the page.
    assert (done.json["state"], after.json["url"] in done.get_data(as_text=True)) == ("succeeded", False)


def test_the_price_that_is_named_is_the_one_that_is_bought(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    job = browser(owner).post(place(owner, "/checkout"), json={"plan": "team", "price": "price_team_year"}).json
    shop.do(job["id"])
    shop.stripe.pay(shop.session(owner, job["id"]))

    assert shop.subscriptions(owner)[0]["items"]["data"][0]["price"]["id"] == "price_team_year"


@pytest.mark.parametrize("page", ["portal", "payment-method"])
def test_so_is_the_portal(shop: Shop, browser: Callable[[Caller], Client], page: str) -> None:
    owner = shop.subscribed()
    client = browser(owner)
    job = client.post(place(owner, "/portal"), json={"page": page}).json
    shop.do(job["id"])
    told = client.get(job["links"]["result"]).json

    assert (job["kind"], told["page"]) == ("billing.portal", page)
    assert told["url"].startswith(shop.stripe.url)


def test_the_portal_needs_no_body(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.subscribed()
    client = browser(owner)
    job = client.post(place(owner, "/portal")).json

    assert client.get(job["links"]["result"]).json["page"] == "portal"


def test_a_sync_leads_back_to_how_things_stand(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    client = browser(owner)
    asked = client.post(place(owner, "/sync"), json={})
    shop.do(asked.json["id"])

    assert (asked.status_code, asked.json["links"]["result"]) == (202, place(owner))
    assert client.get(asked.json["links"]["result"]).json["status"] == "active"


def test_whoever_waits_is_answered_with_the_finished_job(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()

    def work() -> None:
        until(lambda: list_jobs(shop.application, owner.organisation_id), SOON, "a job")
        shop.do(list_jobs(shop.application, owner.organisation_id)[0].id)

    worker = threading.Thread(target=work)
    worker.start()
    answer = browser(owner).post(place(owner, "/checkout"), json={"plan": "team"}, headers={"Prefer": "wait=20"})
    worker.join()

    assert (answer.status_code, answer.json["state"]) == (200, "succeeded")


def test_a_repeated_request_opens_one_page(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    client = browser(owner)
    asks = [
        client.post(place(owner, "/checkout"), json={"plan": "team"}, headers={"Idempotency-Key": "buy-1"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in asks] == [202, 202]
    assert asks[0].json == asks[1].json
    assert asks[1].headers["Idempotency-Replayed"] == "true"
    assert links(shop.application) == 1
    other = client.post(place(owner, "/checkout"), json={"plan": "business"}, headers={"Idempotency-Key": "buy-1"})
    assert other.json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"plan": "free"}, "/plan"),
        ({"plan": "gold"}, "/plan"),
        ({}, "/plan"),
        ({"plan": "team", "price": "price_other"}, "/price"),
        ({"plan": "team", "price": BUSINESS}, "/price"),
        ({"plan": "team", "url": "https://example.com"}, "/url"),
    ],
)
def test_what_is_not_on_offer_cannot_be_bought(
    shop: Shop, browser: Callable[[Caller], Client], body: Any, pointer: str
) -> None:
    owner = shop.organisation()
    answer = browser(owner).post(place(owner, "/checkout"), json=body)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]
    assert links(shop.application) == 0


def test_a_second_subscription_cannot_be_bought(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.subscribed()
    answer = browser(owner).post(place(owner, "/checkout"), json={"plan": "business"})

    assert (answer.status_code, answer.json["code"]) == (409, "already_subscribed")


def test_without_a_customer_there_is_no_portal(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    answer = browser(owner).post(place(owner, "/portal"), json={})

    assert (answer.status_code, answer.json["code"]) == (409, "billing_no_customer")


def test_only_an_owner_deals_with_money_and_no_key_sees_any(app: Flask, shop: Shop) -> None:
    owner = shop.organisation()
    link = sign_in(app, shop.application, owner.account_id or "").post(place(owner, "/checkout"), json={"plan": "team"})
    admin = sign_in(app, shop.application, make_member(shop.application, owner.organisation_id, Role.ADMIN))
    key = bearer(make_key(shop.application, owner.organisation_id))

    for path in ("/checkout", "/portal", "/sync"):
        refused = admin.post(place(owner, path), json={"plan": "team"} if path == "/checkout" else {})
        assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert admin.get(link.json["links"]["result"]).status_code == 403
    assert app.test_client().get(place(owner), headers=key).status_code == 403
    assert admin.get(place(owner)).status_code == 200


def test_anothers_page_is_nothing_to_an_owner(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner, other = shop.organisation(), shop.organisation("Ferry Company")
    job = browser(owner).post(place(owner, "/checkout"), json={"plan": "team"}).json
    shop.do(job["id"])

    for path in (job["links"]["result"], place(other, f"/links/{job['subject_id']}"), place(other, "/links/nothing")):
        answer = browser(other).get(path)
        assert (answer.status_code, shop.stripe.url in answer.get_data(as_text=True)) == (404, False)


def test_jobs_about_money_are_among_the_organisations(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.subscribed()
    listed = (
        browser(owner)
        .get("/api/v1/jobs", query_string={"organisation": owner.organisation_id, "housekeeping": "yes"})
        .json["jobs"]
    )

    assert {job["kind"] for job in listed} == {"billing.checkout", "billing.sync"}
    results = {job["kind"]: job["links"]["result"] for job in listed}
    assert results["billing.sync"] == place(owner)


def test_a_failed_checkout_says_why_and_leads_nowhere(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    client = browser(owner)
    job = client.post(place(owner, "/checkout"), json={"plan": "team"}).json
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.do(job["id"])
    told = client.get(job["links"]["self"]).json

    assert (told["state"], told["reason"]) == ("failed", "already_subscribed")
    assert told["explanation"]["advice"]
    assert client.get(job["links"]["result"]).json["url"] is None


def test_where_nobody_is_charged_everything_may_be_used(settings: Settings, shop: Shop) -> None:
    opened = Application.open(settings)
    owner = shop.organisation()
    client = sign_in(create_app(opened), opened, owner.account_id or "")
    told = client.get(place(owner)).json
    refused = {
        client.post(place(owner, path), json={"plan": "team"} if path == "/checkout" else {}).json["code"]
        for path in ("/checkout", "/portal", "/sync")
    }
    opened.dispose()

    assert (told["charged"], told["plan"]["name"], told["offers"], told["buys"]) == (False, "unmetered", [], False)
    limited = {name for name, most in told["plan"]["limits"].items() if most is not None}
    assert limited == {"bytes", "writes_a_day"}
    assert refused == {"billing_off"}


def test_nobody_can_ask_without_end(shop: Shop, browser: Callable[[Caller], Client]) -> None:
    owner = shop.organisation()
    client = browser(owner)
    answers = [client.post(place(owner, "/sync"), json={}) for _ in range(40)]

    assert [answer.status_code for answer in answers[:20]] == [202] * 20
    assert (answers[-1].status_code, answers[-1].json["code"]) == (429, "too_many_in_flight")
    assert int(answers[-1].headers["Retry-After"]) > 0
