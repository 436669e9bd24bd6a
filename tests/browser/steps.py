"""What a person does in the browser, one function a deed; each ends when its outcome can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.support.people import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import House


def send(page: Page) -> None:
    """Send the page's main form."""
    page.locator("main form[data-api] button.primary").click()


def link_in(house: House, address: str, part: str) -> str:
    """The link with ``part`` in the newest mail to an address."""
    links = house.mail_to(address).links
    return next(link for link in links if part in link)


def register(page: Page, house: House, name: str, email: str) -> None:
    """Make an account, read the mail, confirm with the password; the dashboard is open after this."""
    page.goto("/register")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    send(page)
    page.wait_for_url("**/check-your-mail*")
    page.goto(link_in(house, email, "/welcome/"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    send(page)
    wait_until_in(page)


def sign_in(page: Page, email: str, password: str = PASSWORD, code: str = "") -> None:
    """Sign in by the form, with a code where the account has a second factor; what comes after it is open then."""
    try_to_sign_in(page, email, password)
    if code:
        page.get_by_label("Code", exact=True).fill(code)
        send(page)
    wait_until_in(page)


def wait_until_in(page: Page) -> None:
    """Wait for a page that is not of the sign-in family: a sole organisation is opened at once."""
    page.wait_for_url(lambda url: urlsplit(url).path.startswith(("/dashboard", "/o/", "/operate", "/account")))


def try_to_sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the form and send it."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    send(page)


def make_organisation(page: Page, name: str) -> str:
    """Make an organisation; its path."""
    page.goto("/organisations/new")
    page.get_by_label("Name", exact=True).fill(name)
    send(page)
    page.wait_for_url("**/o/*")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return _path(page)


def invite(page: Page, home: str, email: str) -> None:
    """Invite somebody as a member."""
    page.goto(f"{home}/members")
    page.get_by_label("E-mail address").fill(email)
    send(page)
    expect(page.get_by_role("row").filter(has_text=email)).to_be_visible()


def join(page: Page, house: House, name: str, email: str) -> None:
    """Follow the link of an invitation, make the account, be in."""
    page.goto(link_in(house, email, "/invitations/"))
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Choose a password").fill(PASSWORD)
    send(page)
    page.wait_for_url("**/o/*")


def make_project(page: Page, home: str, name: str) -> str:
    """Make a project; its path."""
    page.goto(f"{home}/projects/new")
    page.get_by_label("Name", exact=True).fill(name)
    send(page)
    page.wait_for_url(f"**{home}/projects/*-*")
    return _path(page)


def ask_for_draft(page: Page, home: str, name: str) -> str:
    """Ask for an agent; the path of its page."""
    page.goto(f"{home}/generate")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Purpose").fill("Reviews changes for missing tests.")
    send(page)
    page.wait_for_url(f"**{home}/generations/*")
    return _path(page)


def accept_draft(page: Page, project: str) -> None:
    """Accept the draft on the page into the only project; the resource is open after this."""
    page.get_by_role("button", name="Accept", exact=True).click()
    page.wait_for_url(f"**{project}/agents/*")


def sign_out(page: Page) -> None:
    """Sign out by the account menu."""
    page.locator("summary", has_text="Account menu").click()
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url("**/sign-in*")


def sign_out_everywhere(page: Page) -> None:
    """Sign out everywhere, and say yes when asked."""
    page.goto("/account")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/sign-in*")


def _path(page: Page) -> str:
    return urlsplit(page.url).path
