"""What holds for every page: its form, its forms, its links; nothing inline, nothing dangling."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.support.furnished import furnish
from tests.support.pages import BROWSER, Page, of_a_person, of_an_organisation, open_to_all
from tests.support.people import make_account, sign_in
from web.app import ROUTES

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.furnished import Furnished

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)

HANDLER = re.compile(r"on[a-z]+")
HTMX_SCRIPT = re.compile(r"js:|javascript:|\[")
BODIES = {(route.method, route.endpoint): route.body for route in ROUTES}


@pytest.fixture
def furnished(application: Application) -> Furnished:
    return furnish(application)


@pytest.fixture
def pages(app, application, client, furnished) -> dict[str, Page]:
    """Every page, as its owner, an operator or nobody sees it."""
    owner = sign_in(app, application, furnished.owner)
    operator = sign_in(app, application, make_account(application, operator=True))
    newcomer = sign_in(app, application, make_account(application))
    shown = {path: client.get(path, headers=BROWSER) for path in open_to_all(furnished)}
    shown |= {path: owner.get(path, headers=BROWSER) for path in (*of_a_person(), *of_an_organisation(furnished))}
    shown |= {
        "/operate": operator.get("/operate"),
        "/operate/jobs": operator.get("/operate/jobs"),
        "/operate/effects": operator.get("/operate/effects"),
        "/operate/schedules": operator.get("/operate/schedules"),
        "/operate/organisations": operator.get("/operate/organisations"),
        "/operate/exports": operator.get("/operate/exports"),
        "/operate/keys": operator.get("/operate/keys"),
        "/operate/promises": operator.get("/operate/promises"),
        "/operate/requests": operator.get("/operate/requests"),
        "/operate/usage": operator.get("/operate/usage"),
        "/operate/tickets": operator.get("/operate/tickets"),
        "/operate/policy": operator.get("/operate/policy"),
        "/dashboard": newcomer.get("/dashboard"),
    }
    shown["/nowhere"] = owner.get("/nowhere", headers=BROWSER)
    refused = {path: answer.status_code for path, answer in shown.items() if answer.status_code != 200}
    assert refused == {"/nowhere": 404}
    return {path: Page(answer.get_data(as_text=True)) for path, answer in shown.items()}


def test_nothing_in_a_page_is_run_or_styled_inline(pages):
    for path, page in pages.items():
        for tag, name, value in page.attributes:
            assert name != "style", path
            assert not HANDLER.fullmatch(name), (path, name)
            assert not value.startswith("javascript:"), (path, tag)
            assert not (name.startswith(("hx-on", "data-hx-on"))), path
            assert not (name.startswith(("hx-", "data-hx-")) and HTMX_SCRIPT.search(value)), (path, name, value)
        assert all(source and not text.strip() for source, text in page.scripts), path
        assert "<style" not in page.text


def test_a_page_has_one_heading_of_its_own_and_skips_no_level(pages):
    for path, page in pages.items():
        assert page.headings.count("h1") == 1, path
        assert page.headings[0] == "h1", path
        levels = [int(heading[1]) for heading in page.headings]
        assert all(after <= before + 1 for before, after in pairwise(levels)), path


def test_every_control_has_a_label_and_no_id_appears_twice(pages):
    for path, page in pages.items():
        ids = [value for _tag, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids)), (path, sorted(one for one in ids if ids.count(one) > 1))
        assert page.controls <= page.labelled, path
        named = {
            one
            for _tag, name, value in page.attributes
            if name in {"aria-describedby", "aria-labelledby", "data-reveal", "data-add", "data-opens", "data-peek"}
            for one in value.split()
        }
        assert named <= set(ids), path


def test_every_form_asks_a_route_for_what_it_takes(app, pages):
    urls = app.url_map.bind("localhost")
    checked = set()
    for path, page in pages.items():
        for form in page.forms:
            if not form.sent_by_script:
                assert (form.verb, path) == ("GET", path) or not form.action
                continue
            action = re.sub(r"\?.*", "", form.action)
            endpoint, _arguments = urls.match(action, method=form.verb)
            body = BODIES[form.verb, endpoint]
            fields = {name.split(".")[0] for name in form.names} - {"content"}
            checked.add(endpoint)
            assert not fields or body is not None, (path, endpoint)
            assert body is None or fields <= set(body.model_fields), (path, endpoint, fields)
            needed = {name for name, known in body.model_fields.items() if known.is_required()} if body else set()
            assert not form.names or "content" in form.names or needed <= fields, (path, endpoint, needed - fields)
    assert len(checked) > 30


def test_a_form_that_is_sent_before_its_script_came_puts_nothing_into_an_address(pages):
    for path, page in pages.items():
        for form in page.forms:
            assert form.method in ({"post"} if form.sent_by_script else {"get", "dialog"}), (path, form.action)


def test_every_link_leads_somewhere(app, pages):
    urls = app.url_map.bind("localhost")
    for path, page in pages.items():
        for link in page.links:
            try:
                urls.match(link.partition("?")[0].partition("#")[0], method="GET")
            except (HTTPException, RequestRedirect):
                pytest.fail(f"{path} links to {link}")


def test_what_people_wrote_is_text_in_every_page(app, application):
    """An organisation, a project and people whose names are markup."""
    evil = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    furnished = furnish(application, evil)
    with_name = sign_in(app, application, furnished.owner)
    for path in (f"/o/{furnished.organisation}", f"/o/{furnished.organisation}/members", "/account"):
        text = with_name.get(path, headers=BROWSER).get_data(as_text=True)
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text


def test_scripts_say_the_same_endpoints_as_pages_poll(pages):
    """Whatever refreshes itself asks for the page that it is on, and takes its own part of it."""
    for path, page in pages.items():
        asked = [value for _tag, name, value in page.attributes if name == "data-hx-get"]
        parts = [value for _tag, name, value in page.attributes if name == "data-hx-select"]
        assert {one.partition("?")[0] for one in asked} <= {path.partition("?")[0]}
        ids = {value for _tag, name, value in page.attributes if name == "id"}
        assert {part.removeprefix("#") for part in parts} <= ids
