"""A whole Pigi, a browser, and a world outside, every contact with which is written down."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from pigi.application import Application
from pigi.settings import Settings
from standins.mail.server import MailSink
from tests.support.browser import Witness, World, chromium, executable
from tests.support.stack import Model, until
from tests.support.up import Up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

    from standins.mail.outbox import Parcel

MAIL_SECONDS = 30
LOOK_MS = 20_000


@dataclass(frozen=True)
class House:
    """`pigi up`, with a model and a mail server that the tests hold in their hands."""

    up: Up
    application: Application
    model: Model
    sink: MailSink

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.up.port}"

    @property
    def host(self) -> str:
        """The same without the scheme."""
        return self.address.removeprefix("http://")

    def mail_to(self, address: str, subject: str = "", known: int = 0) -> Parcel:
        """The newest mail to an address, once there is one whose subject has these words, after ``known`` others."""

        def look() -> Parcel | None:
            found = [parcel for parcel in self.sink.outbox.parcels(address) if subject in parcel.subject]
            return found[-1] if len(found) > known else None

        found = until(look, MAIL_SECONDS, f"a mail to {address}")
        assert found is not None
        return found


@dataclass
class Chrome:
    """The browser; each person gets a context, which shares nothing with another's."""

    browser: Browser
    world: World
    house: House

    @contextmanager
    def person(self, **options: object) -> Iterator[Witness]:
        """A browser context of somebody's own; what it did is witnessed."""
        context = self.browser.new_context(
            base_url=self.house.address, ignore_https_errors=True, locale="en-GB", **options
        )
        context.set_default_timeout(LOOK_MS)
        witness = Witness(context)
        try:
            yield witness
        finally:
            context.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver; asked first, so that a machine without a browser starts nothing."""
    with sync_playwright() as driver:
        executable(driver)
        yield driver


@pytest.fixture(scope="session")
def house(playwright: Playwright) -> Iterator[House]:
    """Pigi as `pigi up` runs it: one for all files, since starting it takes what thirty tests do."""
    home = Path(tempfile.mkdtemp(prefix="pigi-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home)
        model, sink = stack.enter_context(Model()), stack.enter_context(MailSink())
        up = Up(home, ANTHROPIC_BASE_URL=model.url, SMTP_URL=sink.url, MAIL_FROM="Pigi <pigi@example.com>")
        stack.callback(up.end)
        up.wait_for("serving")
        application = Application.open(Settings(home=home, port=up.port))
        stack.callback(application.dispose)
        yield House(up, application, model, sink)


@pytest.fixture(scope="module")
def chrome(playwright: Playwright, house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser."""
    with World(tmp_path_factory.mktemp("world")) as world, chromium(playwright, world) as browser:
        yield Chrome(browser, world, house)
