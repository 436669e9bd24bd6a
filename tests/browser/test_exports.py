"""Exports in a real browser: what is asked for on the page that lists it appears there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from pigi.domain.access import Role
from tests.browser import steps
from tests.support.factories import make_organisation
from tests.support.people import an_address, hashed, make_member

if TYPE_CHECKING:
    from tests.browser.conftest import Chrome, House


def test_an_export_appears_on_the_page_on_which_it_was_asked_for(chrome: Chrome, house: House) -> None:
    organisation = make_organisation(house.application.control, house.application.tenants, "Harbour Works")
    address = an_address()
    make_member(house.application, organisation, Role.OWNER, email=address, password_hash=hashed())
    with chrome.person() as witness:
        page = witness.context.new_page()
        steps.sign_in(page, address)
        page.goto(f"/o/{organisation}/exports")
        for count in (1, 2):
            page.get_by_role("button", name="Export the configuration").click()
            expect(page.get_by_text("The export is being prepared.")).to_be_visible()
            expect(page.get_by_role("link", name="Download")).to_have_count(count)
