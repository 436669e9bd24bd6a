"""A plan in a real browser: bought on the stand-in's page, mended and ended there, and what is said when it fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pigi.domain.access import Role
from tests.browser import steps
from tests.support.browser import look
from tests.support.factories import make_organisation
from tests.support.people import an_address, hashed, make_member

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Chrome, House

SLOW_MS = 30_000


@pytest.fixture
def owner(house: House) -> tuple[str, str]:
    """The path of a new organisation's pages, and the address of its owner."""
    organisation = make_organisation(house.application.control, house.application.tenants, "Harbour Works")
    address = an_address()
    make_member(house.application, organisation, Role.OWNER, email=address, password_hash=hashed())
    return f"/o/{organisation}", address


def choose(page: Page, home: str, name: str) -> None:
    """Choose the first price of a plan; Stripe's page is open after this."""
    page.goto(f"{home}/billing")
    page.get_by_role("button", name=f"Choose {name}").first.click()
    page.wait_for_url("**/pay/*", timeout=SLOW_MS)


def pay(page: Page, home: str, card: str = "good") -> None:
    """Fill in the stand-in's page and pay; the billing page is open after this."""
    page.get_by_label("Test card").select_option(card)
    for label, value in (("Name on the card", "Nora Nilsen"), ("Street", "Quay 1"), ("Postal code", "20095")):
        page.get_by_label(label).fill(value)
    page.get_by_label("Town").fill("Hamburg")
    page.get_by_role("button", name="Pay and subscribe").click()
    page.wait_for_url(f"**{home}/billing", timeout=SLOW_MS)


def plan(page: Page) -> str:
    """The plan that the page says applies, with its badge."""
    return " ".join(page.locator("section", has=page.locator("#plan")).locator("header").inner_text().split())


def test_a_plan_is_bought_and_applies_on_the_way_back(chrome: Chrome, owner: tuple[str, str]) -> None:
    home, address = owner
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        choose(page, home, "Team")
        assert "Pigi" not in page.title()
        pay(page, home)
        expect(page.get_by_role("heading", name="Team plan")).to_be_visible()
        assert plan(page) == "Team plan Active"
        expect(page.get_by_text("until you cancel it")).to_be_visible()
        expect(page.get_by_role("link", name="Open at Stripe")).to_have_count(1)
        assert look(page)["local"].keys() <= {"pigi_theme"}

        page.get_by_role("button", name="Manage at Stripe").click()
        page.wait_for_url("**/portal/*", timeout=SLOW_MS)
        page.get_by_role("link", name="Back").click()
        page.wait_for_url(f"**{home}/billing", timeout=SLOW_MS)
        assert witness.errors == []


def test_going_back_without_paying_changes_nothing(chrome: Chrome, owner: tuple[str, str]) -> None:
    home, address = owner
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        choose(page, home, "Business")
        page.get_by_role("link", name="Back").click()
        page.wait_for_url(f"**{home}/billing")
        assert plan(page) == "Free plan No subscription"
        expect(page.get_by_role("button", name="Choose Business")).to_be_enabled()
        page.go_back()
        page.wait_for_url("**/pay/*")
        page.go_back()
        page.wait_for_url(f"**{home}/billing")
        expect(page.get_by_role("button", name="Choose Team").first).to_be_enabled()
        assert witness.errors == []


def test_while_stripe_is_asked_the_button_is_busy_and_says_so(chrome: Chrome, owner: tuple[str, str]) -> None:
    home, address = owner
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto(f"{home}/billing")
        asked = []
        # The driver keeps a mark on handlers, which a list's own method cannot bear.
        page.route("**/billing/checkout", lambda route: asked.append(route))  # noqa: PLW0108
        button = page.get_by_role("button", name="Choose Business")
        button.click()
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("aria-busy", "true")
        expect(page.get_by_role("status").filter(has_text="Contacting Stripe")).to_be_visible()
        assert asked[0].request.headers["prefer"] == "wait=20"
        assert asked[0].request.headers["idempotency-key"]
        asked[0].continue_()
        page.wait_for_url("**/pay/*", timeout=SLOW_MS)
        assert witness.errors == []


def test_what_cannot_be_done_is_said_at_the_button_with_the_way_to_its_job(
    chrome: Chrome, owner: tuple[str, str]
) -> None:
    """Bought in one tab, then again in another that does not know of it."""
    home, address = owner
    with chrome.person() as witness:
        page, other = witness.context.new_page(), witness.context.new_page()
        steps.sign_in(page, address)
        other.goto(f"{home}/billing")
        choose(page, home, "Team")
        pay(page, home)
        with witness.expecting(409):
            other.get_by_role("button", name="Choose Business").click()
            alert = other.get_by_role("alert")
            expect(alert).to_contain_text("The organisation already has a subscription.")
        expect(alert).to_be_focused()
        expect(other.get_by_role("button", name="Choose Business")).to_be_enabled()
        assert witness.errors == []


def test_nobody_is_sent_to_what_is_no_web_page(chrome: Chrome, owner: tuple[str, str]) -> None:
    home, address = owner
    evil = '{"id": "x", "page": "checkout", "url": "javascript:document.title=1", "created_at": "2026-11-25T10:00:00Z"}'
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto(f"{home}/billing")
        page.route("**/billing/links/*", lambda route: route.fulfill(body=evil, content_type="application/json"))
        page.get_by_role("button", name="Choose Business").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Reload the page and try again.", timeout=SLOW_MS)
        expect(alert.get_by_role("link", name="See the job")).to_have_attribute("href", re.compile(f"^{home}/jobs/"))
        assert "Billing" in page.title()
        assert witness.errors == []


def test_the_way_back_takes_nothing_from_the_address(chrome: Chrome, owner: tuple[str, str]) -> None:
    home, address = owner
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto(f"{home}/billing/return?session_id=cs_forged&next=//evil.example")
        page.wait_for_url(f"**{home}/billing", timeout=SLOW_MS)
        assert plan(page) == "Free plan No subscription"
        assert witness.errors == []
