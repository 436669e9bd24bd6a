"""A real browser: the main story, and what every page keeps, shows and contacts (P05, P22, P24, P35, P36, P37)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pigi.domain.access import Role
from pigi.operations.accounts import find_person_by_email
from pigi.operations.configuration import create_resource
from pigi.operations.credentials import RESET
from pigi.operations.deletion import delete_organisation
from tests.browser import steps
from tests.browser.visits import pages, paths, paths_of_deleted
from tests.support.browser import FONTS, look
from tests.support.contents import AGENT, GITHUB_TOKEN
from tests.support.furnished import furnish
from tests.support.people import (
    PASSWORD,
    an_address,
    code_of,
    hashed,
    join,
    make_account,
    make_account_token,
    make_member,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Chrome, House
    from tests.support.browser import Witness
    from tests.support.furnished import Furnished

COOKIES = {"pigi_session", "XSRF-TOKEN"}
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
HALF = 0.5
NOTHING_KEPT = {"session": {}, "databases": [], "caches": [], "workers": 0}

DAY = 86_400
SPOKEN = """(seconds) => {
  const time = document.createElement("time");
  time.dateTime = new Date(Date.now() + seconds * 1000).toISOString();
  document.body.append(time);
  document.dispatchEvent(new Event("htmx:after:swap"));
  return time.textContent;
}"""
"""What a moment so many seconds from now reads as."""


@pytest.fixture(scope="module")
def furnished(house: House) -> Furnished:
    """An organisation with one of everything."""
    return furnish(house.application)


@pytest.fixture(scope="module")
def email(house: House, furnished: Furnished) -> str:
    """The address of an owner of it, who signs in with `PASSWORD`."""
    address = an_address()
    make_member(house.application, furnished.organisation, "owner", email=address, password_hash=hashed())
    return address


@pytest.fixture(scope="module")
def deleted(house: House, email: str) -> str:
    """Another organisation with one of everything, of the same owner, which is being deleted; its id."""
    other = furnish(house.application)
    join(house.application, other.organisation, find_person_by_email(house.application, email).account_id, Role.OWNER)
    delete_organisation(house.application, other.caller)
    return other.organisation


def stolen(chrome: Chrome, cookies: list[Any]) -> tuple[int, bool]:
    """What the API answers a thief of these cookies, and whether pages let them in."""
    with chrome.person() as thief:
        thief.context.add_cookies(cookies)
        status = thief.context.request.get("/api/v1/session").status
        page = thief.context.new_page()
        page.goto("/dashboard")
        return status, "/sign-in" not in page.url


def check_kept(witness: Witness, found: dict[str, Any]) -> None:
    """Two cookies that end with the browser's session, one key in localStorage, and nothing else anywhere."""
    cookies = witness.context.cookies()
    assert {cookie["name"] for cookie in cookies} <= COOKIES
    assert {cookie["expires"] for cookie in cookies} <= {-1}
    assert set(found["local"]) <= {"pigi_theme"}
    assert {name: found[name] for name in NOTHING_KEPT} == NOTHING_KEPT


def check_contacts(chrome: Chrome, witness: Witness) -> None:
    """No page asked anybody but Pigi and Bunny Fonts, nor did the browser; the fonts' host learns nothing."""
    assert witness.hosts <= {chrome.house.host, FONTS}
    assert {contact.host for contact in chrome.world.contacts} <= {FONTS}
    for contact in chrome.world.contacts:
        assert not {"cookie", "referer", "authorization"} & set(contact.headers)


def test_two_people_from_registration_to_an_accepted_draft(chrome: Chrome, house: House) -> None:
    nora, omar = an_address(), an_address()
    with chrome.person() as first, chrome.person() as second:
        page, other = first.context.new_page(), second.context.new_page()
        steps.register(page, house, "Nora Nilsen", nora)
        home = steps.make_organisation(page, "Nilsen & Co")
        steps.invite(page, home, omar)
        steps.join(other, house, "Omar Haddad", omar)
        expect(other.get_by_role("heading", level=1)).to_have_text("Nilsen & Co")
        project = steps.make_project(page, home, "Shop")

        held = house.model.hold("code-reviewer", after=30, pause=0.5)
        steps.ask_for_draft(page, home, "code-reviewer")
        held.wait()
        live = page.locator("[data-live-text]")
        expect(live).not_to_be_empty()
        begun = len(live.inner_text())
        assert page.get_by_role("button", name="Accept", exact=True).count() == 0
        held.release()
        expect(page.get_by_role("button", name="Accept", exact=True)).to_be_visible()
        # The page puts the draft where the live text was; in between there is nothing.
        assert begun > 0
        expect(page.locator("#draft")).to_contain_text(re.compile(rf"[\s\S]{{{begun + 1},}}"), use_inner_text=True)
        steps.accept_draft(page, project)
        expect(page.get_by_role("heading", level=1)).to_contain_text("code-reviewer")

        other.goto(f"{project}/agents")
        expect(other.get_by_role("link", name="code-reviewer")).to_be_visible()
        for witness, shown in ((first, page), (second, other)):
            assert witness.errors == []
            check_kept(witness, look(shown))
            check_contacts(chrome, witness)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(chrome: Chrome, email: str) -> None:
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, email)
        copied = witness.context.cookies()
        assert {cookie["name"] for cookie in copied} == COOKIES
        assert stolen(chrome, copied) == (200, True)
        steps.sign_out(page)
        assert witness.context.cookies() == []
    assert stolen(chrome, copied) == (401, False)


def test_signing_out_everywhere_ends_the_other_browsers_too(chrome: Chrome, email: str) -> None:
    with chrome.person() as here, chrome.person() as there:
        for witness in (here, there):
            page = witness.context.new_page()
            steps.sign_in(page, email)
        copied = [here.context.cookies(), there.context.cookies()]
        steps.sign_out_everywhere(here.context.pages[0])
        there.context.pages[0].goto("/account")
        assert "/sign-in" in there.context.pages[0].url
    assert [stolen(chrome, cookies) for cookies in copied] == [(401, False)] * 2


def test_a_wrong_password_is_told_at_the_form(chrome: Chrome, email: str) -> None:
    with chrome.person() as witness:
        page = witness.context.new_page()
        with witness.expecting(401):
            steps.try_to_sign_in(page, email, "not the password at all")
            alert = page.get_by_role("alert")
            expect(alert).to_be_visible()
        expect(alert).to_be_focused()
        assert alert.evaluate("(one) => one.closest('form') !== null")
        assert page.get_by_label("E-mail address").input_value() == email
        assert witness.context.cookies() == []
        assert witness.errors == []


def test_signing_in_takes_no_mouse(chrome: Chrome, email: str) -> None:
    with chrome.person() as witness:
        page = witness.context.new_page()
        page.goto("/sign-in")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.keyboard.type(email)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        steps.wait_until_in(page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def test_what_has_a_name_is_found_with_a_few_keys(chrome: Chrome, furnished: Furnished, email: str) -> None:
    content = {**AGENT, "name": "harbour-pilot"}
    made = create_resource(furnished.application, furnished.caller, furnished.project, "agent", content)
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, email)
        page.goto(f"/o/{furnished.organisation}")
        page.keyboard.press("/")
        page.keyboard.type("PILOT")
        first = page.get_by_role("option", selected=True)
        expect(first).to_contain_text("Agent in")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/projects/{furnished.project}/agents/{made.id}")
        page.keyboard.press("Control+k")
        page.keyboard.type("memb")
        expect(first).to_contain_text("Members")
        page.keyboard.press("Enter")
        page.wait_for_url("**/members")
        assert page.evaluate(SPOKEN, 7 * DAY - 60) == "in 7 days"
        assert page.evaluate(SPOKEN, DAY / 24 - 20) == "in 1 hour"
        assert page.evaluate(SPOKEN, 60 - 7 * DAY) == "6 days ago"
        assert witness.errors == []


def test_reading_a_mailed_link_does_not_use_it_up(chrome: Chrome, house: House) -> None:
    address = an_address()
    account = make_account(house.application, email=address, password_hash=hashed())
    link = f"/reset-password/{make_account_token(house.application, RESET, account, email=address)}"
    with chrome.person() as witness:
        page = witness.context.new_page()
        page.goto(link)
        page.reload()
        page.get_by_label("New password").fill("lantern quay 92 heron drift")
        steps.send(page)
        page.wait_for_url("**/sign-in*")
        steps.sign_in(page, address, "lantern quay 92 heron drift")


def test_what_looks_like_a_secret_can_be_called_an_example(chrome: Chrome, furnished: Furnished, email: str) -> None:
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, email)
        documents = f"/o/{furnished.organisation}/projects/{furnished.project}/documents"
        page.goto(f"{documents}/new")
        page.get_by_label("Title").fill("Shapes of tokens")
        page.get_by_label("Text", exact=True).fill(f"# Shapes\n\nA token looks like {GITHUB_TOKEN}.")
        with witness.expecting(422):
            steps.send(page)
            alert = page.get_by_role("alert")
            expect(alert).to_contain_text("GitHub token, line 3")
        assert GITHUB_TOKEN not in alert.inner_text()
        alert.get_by_role("button", name="This is an example").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Shapes of tokens")
        page.get_by_role("link", name="Revisions").click()
        page.get_by_role("link", name="Revision 1").click()
        expect(page.get_by_role("region", name="Kept as examples")).to_contain_text("GitHub token")
        assert witness.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_keeps_the_promises(
    chrome: Chrome, furnished: Furnished, email: str, deleted: str, theme: str
) -> None:
    with chrome.person(viewport=WIDE, color_scheme="light") as witness:
        page = witness.context.new_page()
        visit_all(page, paths(furnished, anonymous=True), theme)
        steps.sign_in(page, email)
        visit_all(page, paths(furnished) + paths_of_deleted(deleted), theme)
        assert {cookie["name"] for cookie in witness.context.cookies()} == COOKIES
        check_kept(witness, look(page))
        check_contacts(chrome, witness)
        assert FONTS in {contact.host for contact in chrome.world.contacts}
        assert witness.errors == []
        lasting = re.compile("expires|max-age", re.IGNORECASE)
        assert [line for line in witness.set_cookies() if lasting.search(line)] == []


def test_the_operators_pages_keep_them_too(chrome: Chrome, furnished: Furnished, house: House) -> None:
    address = an_address()
    make_account(house.application, email=address, password_hash=hashed(), operator=True)
    with chrome.person(viewport=WIDE) as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address, code=code_of())
        visit_all(page, paths(furnished, operator=True), "light")
        check_kept(witness, look(page))
        check_contacts(chrome, witness)
        # Signing in is answered with 401 once, which asks for the code.
        assert [line for line in witness.errors if not line.startswith(f"{house.address}/api/v1/session:")] == []


def test_there_are_pages() -> None:
    """An empty visit would find nothing wrong."""
    assert len(pages()) > 20


def visit_all(page: Page, where: list[str], theme: str) -> None:
    """Look at each path in a theme, wide and narrow; all that is wrong is told together."""
    page.goto("/")
    while page.evaluate("document.documentElement.dataset.theme") != theme:
        page.locator("[data-theme-button]").first.click()
    wrong = {path: flaws for path in where if (flaws := visit(page, path, theme))}
    assert wrong == {}


def visit(page: Page, path: str, theme: str) -> list[str]:
    """What is wrong with a page."""
    page.set_viewport_size(WIDE)
    answer = page.goto(path)
    assert answer is not None
    flaws = [] if answer.status == 200 else [f"status {answer.status}"]
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        found = look(page)
        flaws += [f"{found['wide']} px too wide at {size['width']} px"] if found["wide"] > 0 else []
        flaws += [f"refused by the policy: {found['refused']}"] if found["refused"] else []
    flaws += [f"headings {found['headings']}"] if len(found["headings"]) != 1 else []
    flaws += ["no title"] if not found["title"] else []
    kept = found["local"].get("pigi_theme")
    flaws += [f"theme {kept}"] if kept != theme else []
    return flaws + (
        [] if (brightness(found["background"]) > HALF) is (theme == "light") else ["the other theme's colours"]
    )


def brightness(colour: str) -> float:
    """From 0 to 1, of a colour as ``rgb(r, g, b)`` (Rec. 709 luma)."""
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
