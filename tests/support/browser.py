"""A real Chromium for tests, and witnesses of what it did: hosts, cookies, storage, errors."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import certify
from tools.browser import HOW, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Response

FONTS = "fonts.bunny.net"
TLS_HANDSHAKE = b"\x16"
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OF_THE_MAKER = (
    "*.google.com",
    "*.googleapis.com",
    "*.googleusercontent.com",
    "*.gstatic.com",
    "*.gvt1.com",
    "*.gvt2.com",
)
"""What Chromium asks by its maker's wish in spite of `QUIET`, not by a page's: these names are made not to exist.
One of them gives dictionaries to a browser that checks spelling, at the first field for text that it sees.
A page that asked them would still be seen to, since a witness notes requests before they are sent."""

LOOK = """async () => ({
  local: {...localStorage},
  session: {...sessionStorage},
  databases: (await indexedDB.databases()).map((one) => one.name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  wide: document.scrollingElement.scrollWidth - innerWidth,
  headings: [...document.querySelectorAll("h1")].map((one) => one.textContent.trim()),
  title: document.title,
  refused: window.refused ?? [],
  background: getComputedStyle(document.body).backgroundColor,
})"""
LISTEN = """addEventListener("securitypolicyviolation", (event) =>
  (window.refused ??= []).push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`), true)"""


def executable(playwright: Playwright) -> str:
    """The path of a Chromium. Without one a test fails where nothing may be missing (CI=true), or else is skipped."""
    own = playwright.chromium.executable_path
    found = find() or (own if Path(own).exists() else None)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(HOW)
    return found


@dataclass(frozen=True)
class Contact:
    """A request that reached somebody who is not Pigi."""

    host: str
    path: str
    headers: dict[str, str]


class World:
    """Every host of the world but this machine: all names lead here, and every contact is written down.

    Fonts are answered as Bunny Fonts does, with nothing in them; anybody else gets 404.
    """

    def __init__(self, folder: Path) -> None:
        """``folder`` takes a certificate, which nobody need trust: the browser is told not to mind."""
        self.contacts: list[Contact] = []
        self._server = _WorldServer(self, certify(folder, "world.example").context)

    @property
    def rules(self) -> str:
        """Chromium's option that leads there."""
        own = "".join(f"MAP {names} ~NOTFOUND, " for names in OF_THE_MAKER)
        return f"--host-resolver-rules={own}MAP * 127.0.0.1:{self._server.server_address[1]}, EXCLUDE 127.0.0.1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _WorldServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, world: World, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Anybody)
        self.world = world
        self.context = context

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no error."""


class _Anybody(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _WorldServer

    def setup(self) -> None:
        """Speak TLS with whoever begins with it."""
        if self.request.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_CONNECT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        self.server.world.contacts.append(Contact(host, self.path, {k.lower(): v for k, v in self.headers.items()}))
        known = host == FONTS and self.path.startswith("/css")
        body = b"@font-face{font-family:nothing;src:local(nothing)}" if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Type", "text/css")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def chromium(playwright: Playwright, world: World) -> Iterator[Browser]:
    """A browser for which the world is ``world``."""
    browser = playwright.chromium.launch(
        executable_path=executable(playwright), args=[*QUIET, world.rules, "--ignore-certificate-errors"]
    )
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Witness:
    """What one browser context did that a promise speaks of."""

    context: BrowserContext
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    responses: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(LISTEN)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.errors.append(f"{error.page and error.page.url}: {error.error}"))
        self.context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.context.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        """A method of its own: the driver keeps a mark on handlers, which a list's own method can't bear."""
        self.responses.append(response)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.location.get('url')}: {message.text}")

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Chromium itself notes each failed request as an error; those of this status are wanted in the block."""
        known = len(self.errors)
        yield
        self.errors[known:] = [one for one in self.errors[known:] if f"status of {status} " not in one]

    def set_cookies(self) -> list[str]:
        """All Set-Cookie lines that any answer so far had."""
        found = []
        for response in self.responses:
            with suppress(Exception):  # an answer whose page is gone can't be asked any more
                found += response.header_values("set-cookie")
        return found


def look(page: Page) -> dict[str, Any]:
    """What the page keeps, how wide it is, what it is called, and what its content security policy refused."""
    found: dict[str, Any] = page.evaluate(LOOK)
    return found
