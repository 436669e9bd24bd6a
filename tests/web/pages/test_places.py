"""Where signing in leads: to a page of Pigi's own, whatever the address asks for; and what scripts may fill in."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.places import EVIL

if TYPE_CHECKING:
    from flask.testing import FlaskClient

on_one_engine = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
TEMPLATES = Path("web/templates")
NEXT = re.compile(r'data-next="([^"]*)"')


def way_on(client: FlaskClient, place: str) -> str:
    """Where the page leads once somebody has signed in."""
    page = client.get("/sign-in", query_string={"next": place}).get_data(as_text=True)
    found = NEXT.search(page)
    assert found is not None
    return unescape(found[1])


@on_one_engine
def test_signing_in_leads_to_no_other_site_and_fills_nothing_in(client: FlaskClient) -> None:
    assert {evil: way_on(client, evil) for evil in EVIL} == dict.fromkeys(EVIL, "/dashboard")


@on_one_engine
@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("/o/x/jobs?state=failed&kind=a#b", "/o/x/jobs?state=failed&kind=a#b"),
        ("/search?q=a%20b%2F%2Fc", "/search?q=a%20b%2F%2Fc"),
        ("/search?q={x}", "/search?q=%7Bx%7D"),
        ("/search?q=//x", "/search?q=//x"),
        ("/account", "/account"),
        ("/invitations/abc", "/invitations/abc"),
        # No page: nobody was there when their session ended.
        ("/nowhere", "/dashboard"),
        ("/api/v1/me", "/dashboard"),
    ],
)
def test_signing_in_leads_back_to_where_one_was(client: FlaskClient, place: str, there: str) -> None:
    assert way_on(client, place) == there


def test_what_scripts_fill_in_stands_in_the_template_as_it_is() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        filled = re.findall(r'data-then="([^"]*)"', text)
        assert all(re.fullmatch(r"/[\w{}/?&=-]*", one) for one in filled), path
        # The rest is filled in by the server alone, which knows what it writes.
        others = re.sub(r'data-then="[^"]*"|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}', "", text, flags=re.DOTALL)
        assert re.findall(r"\{\w+\}", others) == [], path


def test_one_module_of_the_scripts_fills_in() -> None:
    """Or another would fill in what it should not."""
    scripts = {path.name: path.read_text() for path in Path("web/static").glob("*.js")}

    assert [name for name, text in scripts.items() if r"\{(\w+)" in text] == ["places.js"]
