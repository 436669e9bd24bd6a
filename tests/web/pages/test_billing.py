"""Pages about money: what each state says, to whom, and what they offer to do."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from pigi.application import Application
from pigi.clock import now
from pigi.domain.billing_findings import FINDINGS
from pigi.ids import new_id
from pigi.jobs.kinds import SYNC_BILLING
from pigi.store.billing import BillingAccount, BillingEvent, BillingPrice, BillingRun
from tests.support.furnished import furnish
from tests.support.jobs import ask
from tests.support.pages import BROWSER, Page, of_an_organisation
from tests.support.people import make_account, sign_in
from web.app import ROUTES, create_app
from web.pages.shell import money as billing_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from pigi.settings import Settings
    from tests.support.furnished import Furnished

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)

PRICES = "price_month=team,price_year=team,price_b=business"
PLANS = '{"free": {"members": 3, "resources": 3}}'
LATE = {
    "past_due": "A payment is late.",
    "unpaid": "A payment was not made.",
    "incomplete": "The first payment is not finished.",
}
BODIES = {(route.method, route.path): route.body for route in ROUTES}


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    """An application that charges, with a free plan that a furnished organisation is over."""
    opened = Application.open(settings.model_copy(update={"stripe_prices": PRICES, "plans": PLANS}))
    yield opened
    opened.dispose()


@pytest.fixture
def furnished(settings: Settings) -> Iterator[Furnished]:
    """Made before anybody was charged, and so beyond what is free."""
    opened = Application.open(settings)
    yield furnish(opened)
    opened.dispose()


@pytest.fixture
def home(furnished: Furnished) -> str:
    return f"/o/{furnished.organisation}"


def add(application: Application, *rows: Any) -> None:
    with application.control.begin() as session:
        session.add_all(rows)


def grants(application: Application, furnished: Furnished, status: str, **facts: Any) -> None:
    """Let the organisation stand so."""
    known = {"customer_id": "cus_1", "tickets": 0, "ticket": 0, "read_at": now(), **facts}
    add(application, BillingAccount(organisation_id=furnished.organisation, status=status, **known))


def shown(app: Flask, application: Application, who: str, path: str) -> Page:
    """A page that somebody sees."""
    answer = sign_in(app, application, who).get(path, headers=BROWSER)
    assert answer.status_code == 200
    return Page(unescape(answer.get_data(as_text=True)))


def words(page: Page) -> str:
    """The text of a page's content, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2].partition("</main>")[0]).split())


def acts(page: Page) -> list[str]:
    """Ends of the paths about money that its forms are sent to."""
    return [form.action.partition("/billing")[2] for form in page.forms if "/billing" in form.action]


def test_who_has_bought_nothing_is_offered_each_price(app, application, furnished, home):
    price = {"interval_count": 1, "active": True, "read_at": now(), "currency": "eur"}
    add(application, BillingPrice(price_id="price_month", amount=4900, interval="month", **price))
    page = shown(app, application, furnished.owner, f"{home}/billing")

    assert acts(page) == ["/checkout"] * 3
    assert re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page.text) == [
        ("plan", "team"), ("price", "price_month"), ("plan", "team"), ("price", "price_year"),
        ("plan", "business"), ("price", "price_b"),
    ]  # fmt: skip
    assert "49.00 EUR a month" in words(page)
    assert "The price is not known yet." in words(page)
    assert 'Choose<span class="unseen"> Team, 49.00 EUR a month</span>' in page.text


def test_the_use_of_each_limit_is_said_in_words_and_drawn(app, application, furnished, home):
    page = shown(app, application, furnished.owner, f"{home}/billing")

    assert "Members and open invitations 3 of 3" in words(page)
    assert "Active resources 4 of 3" in words(page)
    assert "Over the plan: everything stays, and nothing can be added." in words(page)
    meters = re.findall(
        r'<meter min="0" max="(\d+)" high="[\d.]+" optimum="0" value="(\d+)" aria-labelledby', page.text
    )
    assert meters[:3] == [("3", "3"), ("3", "3"), ("50", "1")]
    assert [most for most, _ in meters[3:]] == [str(100 * 1024 * 1024), "5000"]
    assert re.search(r"Stored configuration [\d.]+ KB of 100 MB", words(page))
    assert re.search(r"Changes of configuration today \(UTC\) \d+ of 5,000", words(page))
    # Single things can be archived and not deleted, so the page must not promise that.
    assert "exporting and archiving" in words(page)
    assert "deleting the organisation, never depend on a plan." in words(page)


def test_others_are_told_who_can_act_and_offered_nothing(app, application, furnished, home):
    grants(application, furnished, "past_due", plan="team")
    page = shown(app, application, furnished.member, f"{home}/billing")

    assert acts(page) == []
    assert "An owner can choose a plan." in words(page)
    assert "An owner can fix it here." in words(page)


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("active", ["/sync", "/portal", "/sync"]),
        ("trialing", ["/sync", "/portal", "/sync"]),
        ("past_due", ["/sync", "/portal", "/portal", "/sync"]),
        ("unpaid", ["/sync", "/portal", "/portal", "/sync"]),
        ("paused", ["/sync", "/portal", "/sync"]),
        ("incomplete", ["/portal", "/portal", "/sync", *["/checkout"] * 3]),
        ("canceled", ["/portal", "/sync", *["/checkout"] * 3]),
    ],
)
def test_what_an_owner_can_do_follows_the_status(app, application, furnished, home, status, offered):
    grants(application, furnished, status)
    page = shown(app, application, furnished.owner, f"{home}/billing")

    assert acts(page) == offered
    assert billing_words.STATUSES[status].title in words(page)
    assert billing_words.STATUSES[status].says in words(page)
    assert ("Change payment method" in words(page)) is (status in {"past_due", "unpaid", "incomplete"})


def test_a_plan_that_an_operator_gave_is_called_so(app, application, furnished, home):
    grants(application, furnished, "none", customer_id=None, read_at=None, granted="business")
    page = shown(app, application, furnished.owner, f"{home}/billing")

    assert "Business plan Granted by the operator" in words(page)
    assert acts(page) == []


@pytest.mark.parametrize("status", LATE)
def test_a_given_plan_is_not_said_to_be_lost(app, application, furnished, home, status):
    grants(application, furnished, status, granted="business")
    page = words(shown(app, application, furnished.owner, f"{home}/billing"))
    assert "The operator granted the plan, and it still applies." in page
    assert "free plan's limits apply" not in page
    assert ("There is also a subscription" in page) is (status != "incomplete")


@pytest.mark.parametrize("status", LATE)
def test_a_late_payment_is_said_on_every_page_once(app, application, furnished, home, status):
    grants(application, furnished, status)
    owner = sign_in(app, application, furnished.owner)
    for path in of_an_organisation(furnished):
        page = unescape(owner.get(path, headers=BROWSER).get_data(as_text=True))
        assert page.count(LATE[status]) == (0 if "/billing" in path else 1), path
    member = shown(app, application, furnished.member, home)
    assert f"{LATE[status]} An owner can fix it on the billing page." in words(member)
    assert f'<a href="{home}/billing">See what to do</a>' in shown(app, application, furnished.owner, home).text


@pytest.mark.parametrize("status", ["none", "active", "canceled"])
def test_nobody_is_warned_of_a_payment_that_is_not_late(app, application, furnished, home, status):
    grants(application, furnished, status)
    assert not any(late in words(shown(app, application, furnished.owner, home)) for late in LATE.values())


def test_the_way_back_from_stripe_believes_nothing_and_asks(app, application, furnished, home):
    path = f"{home}/billing/return?session_id=cs_forged&status=paid&next=//evil.example"
    owner = shown(app, application, furnished.owner, path)
    member = shown(app, application, furnished.member, path)

    assert acts(owner) == ["/sync"]
    assert f'data-goes="{home}/billing"' in owner.text
    assert "data-at-once" in owner.text
    assert acts(member) == []
    for page in (owner, member):
        assert f"{home}/billing" in page.links
        assert not re.search("cs_forged|paid|evil", words(page))


def test_every_form_about_money_sends_what_its_route_takes(app, application, furnished, home):
    grants(application, furnished, "incomplete")
    page = shown(app, application, furnished.owner, f"{home}/billing")
    forms = [form for form in page.forms if "/billing" in form.action]

    assert len(forms) == 6
    for form in forms:
        assert (form.sent_by_script, form.method, form.verb) == (True, "post", "POST")
        body = BODIES["POST", form.action.replace(furnished.organisation, "<organisation>")]
        assert set(form.names) <= set(body.model_fields)


def test_the_page_is_well_made_in_each_state(app, application, furnished, home):
    grants(application, furnished, "incomplete")
    page = shown(app, application, furnished.owner, f"{home}/billing")
    ids = [value for _tag, name, value in page.attributes if name == "id"]

    assert len(ids) == len(set(ids))
    assert page.headings.count("h1") == 1
    assert {"h1", "h2", "h3"} == set(page.headings)
    assert not [name for _tag, name, _value in page.attributes if name == "style" or name.startswith("on")]


def test_where_nobody_is_charged_the_page_says_so_and_is_not_offered(settings, furnished, home):
    opened = Application.open(settings)
    page = shown(create_app(opened), opened, furnished.owner, f"{home}/billing")
    opened.dispose()

    assert "This installation is free of charge." in words(page)
    assert acts(page) == []
    assert f"{home}/billing" not in page.links


def test_billing_is_in_the_navigation(app, application, furnished, home):
    assert f"{home}/billing" in shown(app, application, furnished.member, home).links


def an_event(number: int, **facts: Any) -> BillingEvent:
    moment = now() - timedelta(hours=2)
    known = {"thin": False, "type": "invoice.paid", "created_at": moment, "received_at": moment, **facts}
    return BillingEvent(id=new_id(), event_id=f"evt_{number}", **known)


def test_operators_see_drift_what_waits_and_what_is_wrong(app, application, furnished):
    grants(application, furnished, "unpaid")
    moment = now() - timedelta(hours=1)
    counts = {"customers": 31, "drift": 2, "missed": 4, "strangers": 1}
    add(
        application,
        an_event(1), an_event(2), an_event(3, processed_at=now(), outcome="synced"),
        BillingRun(id=new_id(), began_at=moment, ended_at=now(), findings="portal_missing receipts_off", **counts),
        BillingRun(id=new_id(), began_at=now(), ended_at=None, findings=""),
    )  # fmt: skip
    page = shown(app, application, make_account(application, operator=True), "/operate")
    text = words(page)

    assert "Not paid 1" in text
    assert "customers 31, drift 2, missed 4, strangers 1" in text
    assert '<span class="badge ill">2</span>' in page.text
    for code in ("portal_missing", "receipts_off"):
        assert f"{FINDINGS[code].title} {FINDINGS[code].advice}" in text
    assert text.count("Not finished") == 1


def test_a_short_wait_is_no_alarm(app, application):
    add(application, an_event(1, received_at=now()))
    page = shown(app, application, make_account(application, operator=True), "/operate")

    assert '<span class="badge busy">1</span>' in page.text


def test_operators_of_an_installation_that_charges_nobody_see_nothing_of_it(settings, application):
    opened = Application.open(settings)
    page = shown(create_app(opened), opened, make_account(application, operator=True), "/operate")
    opened.dispose()

    assert "Billing" not in words(page)


def test_what_stripe_has_asked_for_does_not_crowd_the_overview(
    app: Flask, application: Application, furnished: Furnished, home: str
) -> None:
    before = shown(app, application, furnished.owner, home)
    for _ in range(60):
        ask(application.control, SYNC_BILLING, furnished.organisation)
    after = shown(app, application, furnished.owner, home)
    assert "Asking Stripe" not in str(vars(after))
    assert str(vars(before)).count("/jobs/") == str(vars(after)).count("/jobs/") > 0
