"""Where a page's script goes after an act: never to another site, and never filled with what somebody typed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.browser import steps
from tests.support.people import PASSWORD, an_address, code_of, hashed, make_account
from tests.support.places import EVIL

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Chrome, House

LEADS = """async (places) => {
  const own = [...document.querySelectorAll("script[src]")].find((one) => /pigi\\.js$/.test(one.src)).src;
  const { placeAfter, isOwn } = await import(new URL("places.js", own));
  const form = document.querySelector("form[data-api]");
  form.elements.email.value = "//evil.example";
  return places.map((place) => {
    form.dataset.next = place;
    const there = placeAfter(form, { x: "", id: ".." });
    const ours = isOwn(there) && !there.startsWith("//") && !there.startsWith("/evil");
    return there === "." || (ours && new URL(there, location).host === location.host);
  });
}"""
FILLS = """async (cases) => {
  const own = [...document.querySelectorAll("script[src]")].find((one) => /pigi\\.js$/.test(one.src)).src;
  const { placeAfter } = await import(new URL("places.js", own));
  const form = document.querySelector("form[data-api]");
  return cases.map(([next, then, told]) => {
    Object.assign(form.dataset, { next, then });
    return placeAfter(form, told);
  });
}"""


def test_a_script_goes_to_paths_of_its_own_site_alone(chrome: Chrome) -> None:
    with chrome.person() as witness:
        page = witness.context.new_page()
        page.goto("/sign-in")

        assert dict(zip(EVIL, page.evaluate(LEADS, list(EVIL)), strict=True)) == dict.fromkeys(EVIL, True)
        filled = [
            ["/o", "/{id}", {"id": "a b/../c"}],
            ["/o", "/{id}", {"id": ".."}],
            ["/o", "/{id}", {}],
            ["/o", "/{id}", {"id": "%2f"}],
            ["/o/{id}", "", {"id": "x"}],
            ["/o/1/generations", "/{id}?project={project}", {"id": "g", "project": "a&b"}],
            ["/o/1/generations", "/{id}?project={project}", {"id": "g"}],
        ]
        assert page.evaluate(FILLS, filled) == [
            "/o/a%20b%2F..%2Fc", "/o", "/o", "/o/%252f", "/dashboard",
            "/o/1/generations/g?project=a%26b", "/o/1/generations/g",
        ]  # fmt: skip


def lands(page: Page) -> str:
    """The path that the page is at once somebody is in."""
    steps.wait_until_in(page)
    return page.evaluate("location.origin + location.pathname")  # type: ignore[no-any-return]


@pytest.mark.parametrize("evil", ["/{x}/evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_stays_here_with_a_second_factor_and_without(chrome: Chrome, house: House, evil: str) -> None:
    address = an_address()
    factor = evil.startswith("/{")
    make_account(house.application, email=address, password_hash=hashed(), factor=factor)
    with chrome.person() as witness:
        page = witness.context.new_page()
        page.goto(f"/sign-in?next={quote(evil, safe='')}")
        page.get_by_label("E-mail address").fill(address)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        steps.send(page)
        if factor:
            page.get_by_label("Code", exact=True).fill(code_of())
            steps.send(page)
        assert lands(page).startswith(house.address + "/")
        assert "evil.example" not in page.url
