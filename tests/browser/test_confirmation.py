"""What cannot be taken back asks for the password in a dialog, once, and then does what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from pigi.domain.access import Role
from tests.browser import steps
from tests.support.factories import make_organisation
from tests.support.people import PASSWORD, an_address, hashed, make_member

if TYPE_CHECKING:
    from tests.browser.conftest import Chrome, House


def test_a_key_is_made_after_the_password_was_given_once_more(chrome: Chrome, house: House) -> None:
    organisation = make_organisation(house.application.control, house.application.tenants, "Harbour Works")
    address = an_address()
    make_member(house.application, organisation, Role.OWNER, email=address, password_hash=hashed())
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto(f"/o/{organisation}/api-keys")
        page.get_by_label("Label").fill("Pipeline")
        page.locator("main form[data-api] button.primary").click()
        dialog = page.get_by_role("dialog", name="Type your password once more")
        dialog.get_by_label("Your password", exact=True).fill("not the password at all")
        dialog.get_by_role("button", name="Go on").click()
        expect(dialog.get_by_role("alert")).to_contain_text("not your password")
        dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
        dialog.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("Here is the key.")).to_be_visible()
        expect(dialog).to_be_hidden()
