"""Every page at every width, with values as long as they may be and with none: within reach, and accessible to all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from pigi.application import Application
from pigi.domain.access import Role
from pigi.operations.accounts import csrf_token
from pigi.operations.audit import record
from tests.browser.visits import paths
from tests.support.browser import executable
from tests.support.factories import make_organisation
from tests.support.live_web import a_port, live
from tests.support.people import make_account, make_member, make_session
from tests.support.sqlite import SqliteStores
from tests.support.stuffed import operator_of, stuff
from web.http.auth import SESSION, XSRF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

    from tests.support.furnished import Furnished

AXE = "async () => (await axe.run({resultTypes: ['violations']})).violations"
"""What a page does right would be thousands of nodes, described and sent for nothing."""
WIDTHS = (1280, 1024, 900, 768, 360, 320)
REACH = (Path(__file__).parents[1] / "support" / "reach.js").read_text()
WITH_NO_DATA = (
    "", "/projects", "/projects/new", "/generate", "/jobs", "/members", "/api-keys", "/audit", "/mails", "/exports",
    "/imports", "/settings", "/billing",
)  # fmt: skip


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """One on SQLite, at an address of its own: what pages look like does not depend on the engine."""
    folder = tmp_path_factory.mktemp("reach")
    with SqliteStores(folder) as stores:
        settings = stores.fresh(folder / "home")
        own = {"public_url": f"http://127.0.0.1:{a_port()}", "fonts": "none", "stripe_prices": "price_a=team"}
        opened = Application.open(settings.model_copy(update=own))
        yield opened
        opened.dispose()


@pytest.fixture(scope="module")
def browser(playwright: Playwright, application: Application) -> Iterator[Browser]:
    """Chromium, with nothing of the world but the application."""
    with live(application):
        started = playwright.chromium.launch(executable_path=executable(playwright), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def full(application: Application) -> Furnished:
    """An organisation with as much of everything as may be."""
    return stuff(application)


@pytest.mark.timeout(900)
def test_no_control_is_out_of_reach_and_axe_finds_nothing(
    browser: Browser, application: Application, full: Furnished
) -> None:
    empty = make_organisation(application.control, application.tenants, "Empty")
    newcomer, operator = make_member(application, empty, Role.OWNER), operator_of(application)
    anonymous = paths(full, anonymous=True)
    visits = {
        None: anonymous,
        full.owner: [path for path in paths(full) if path not in set(anonymous)],
        operator: [path for path in paths(full, operator=True) if path not in set(anonymous)],
        newcomer: ["/dashboard", "/account", "/privacy", *(f"/o/{empty}{page}" for page in WITH_NO_DATA)],
        make_account(application): ["/dashboard", "/account/exports", "/problems/not_found", "/o/nowhere"],
    }
    wrong: list[str] = []
    for who, where in visits.items():
        page = _page_of(browser, application, who)
        for path in where:
            page.goto(path)
            wrong += [f"{path} at {width}: {flaw}" for width in WIDTHS for flaw in _out_of_reach(page, width)]
            wrong += [f"{path}: {flaw}" for flaw in _violations(page)]
        page.context.close()
    assert not wrong, "\n".join(wrong)


def test_open_menus_and_moments_stay_within_a_narrow_page(
    browser: Browser, application: Application, full: Furnished
) -> None:
    with application.control.begin() as session:
        record(session, application, "session.signed_in", f"account:{full.owner}", full.organisation)
    page = _page_of(browser, application, full.owner)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"/o/{full.organisation}/audit")
    within = "(one) => one.getBoundingClientRect().left >= 0 && one.getBoundingClientRect().right <= innerWidth"
    moments = page.locator("td time").all()
    assert moments
    assert all(moment.evaluate(within) for moment in moments)
    for menu in page.locator("details.menu").all():
        menu.locator("summary").click()
        assert all(link.evaluate(within) for link in menu.locator(".sheet :is(a, button)").all())
    page.context.close()


def test_what_is_out_of_reach_is_found(browser: Browser) -> None:
    """A look that sees nothing would find every page well."""
    page = browser.new_page()
    page.set_content("<html lang='en'><title>T</title><main><h1>T</h1><input></main>")
    assert any("label in dark at 360" in flaw for flaw in _violations(page))
    page.set_content(
        "<div style='width:2000px'><button style='margin-left:1500px'>far</button></div>"
        "<div style='width:9rem;overflow:hidden'><button style='margin-left:20rem'>cut</button></div>"
        "<div style='width:9rem;overflow:auto'><button style='margin-left:20rem'>scrolled</button></div>"
    )
    found = " ".join(_out_of_reach(page, 900))
    assert "too wide" in found
    for word in ('"far" at', '"cut" cut off', '"scrolled" in a region'):
        assert word in found
    page.close()


def _page_of(browser: Browser, application: Application, who: str | None) -> Page:
    context: BrowserContext = browser.new_context(base_url=application.settings.public_url)
    if who is not None:
        token, url = make_session(application, who), application.settings.public_url
        context.add_cookies(
            [{"name": SESSION, "value": token, "url": url}, {"name": XSRF, "value": csrf_token(token), "url": url}]
        )
    return context.new_page()


def _out_of_reach(page: Page, width: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(REACH)
    return found


def _violations(page: Page) -> list[str]:
    """What axe-core has against a page, narrow and dark or wide and light, since colours and places differ."""
    found: list[str] = []
    page.evaluate(AXE_SCRIPT)
    for scheme, width in (("dark", 360), ("light", 1280)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        violations = page.evaluate(AXE)
        found += [
            f"{one['id']} in {scheme} at {width}: {node['target']} {node['failureSummary']}"
            for one in violations
            for node in one["nodes"][:3]
        ]
    return found
