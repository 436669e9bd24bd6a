"""What cannot be taken back asks for the password in a dialog, once, and for a code where there is a second factor."""

from __future__ import annotations

from base64 import b32decode
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from pigi.domain.access import Role
from tests.browser import steps
from tests.support.factories import make_organisation
from tests.support.people import PASSWORD, an_address, code_of, hashed, make_account, make_member

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


def test_a_second_factor_is_set_up_lets_in_with_a_code_and_is_asked_for_besides_the_password(
    chrome: Chrome, house: House
) -> None:
    address = an_address()
    make_account(house.application, email=address, password_hash=hashed())
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto("/account/second-factor")
        page.get_by_role("button", name="Begin").click()
        dialog = page.get_by_role("dialog", name="Type your password once more")
        dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
        dialog.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("img", name="QR code")).to_be_visible()
        secret = b32decode(page.locator("#secret").inner_text())
        page.get_by_role("main").get_by_label("Code", exact=True).fill(code_of(secret=secret))
        page.get_by_role("button", name="Turn it on").click()
        expect(page.get_by_text("Here are your recovery codes.")).to_be_visible()
        codes = page.locator("#codes-list").inner_text().split()
        assert len(codes) == 10
        # The browser notes the refusal that made the page ask for the password, and nothing else.
        assert [line for line in witness.errors if "(Forbidden)" not in line] == []
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.try_to_sign_in(page, address, PASSWORD)
        code = page.get_by_label("Code", exact=True)
        expect(code).to_be_focused()
        assert witness.context.cookies() == []
        code.fill("000000")
        steps.send(page)
        expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
        code.fill(codes[0])
        steps.send(page)
        steps.wait_until_in(page)
        page.goto("/account/second-factor")
        page.get_by_role("button", name="Make new recovery codes").click()
        page.get_by_role("dialog", name="Make new recovery codes?").get_by_role("button", name="Make new codes").click()
        dialog = page.get_by_role("dialog", name="Type your password once more")
        dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
        dialog.get_by_role("button", name="Go on").click()
        again = dialog.get_by_label("Code", exact=True)
        expect(again).to_be_focused()
        again.fill(codes[1])
        dialog.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("Here are your recovery codes.")).to_be_visible()
        assert codes[2] not in page.locator("#codes-list").inner_text()
