"""Visits to the running service over HTTP, without a browser: what is answered, and what is in it.

They go to PIGI_PUBLIC_URL, so they see what visitors see, proxies included. What a script would do is not seen.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from sqlalchemy import delete

from pigi.clock import now
from pigi.operations.accounts import csrf_token
from pigi.store.ledgers import RequestLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pigi.application import Application

SECONDS = 5.0
MOST_BYTES = 2 << 20
SESSION, XSRF, XSRF_HEADER = "pigi_session", "XSRF-TOKEN", "X-XSRF-TOKEN"
MARK = "canary request"
"""For what the keyring derives how the ids of its requests begin. Their lines in the log are so told from people's and
removed; nobody else can send such an id, which would keep a request out of the log."""
LINES: Any = RequestLog.__table__
FORGOTTEN = timedelta(hours=1)
_LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "object": "data"}
"""Where an element names what a browser fetches by itself."""


class UnreachableError(Exception):
    """The service does not answer at its own address."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header, in their order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a header, empty without it."""
        return next(iter(self.all(name)), "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Visitor:
    """Asks; with ``token`` as whoever is signed in with that cookie, else as anybody. It keeps no cookies."""

    home: str
    token: str = field(default="", repr=False)
    mark: str = field(default="", repr=False)

    @classmethod
    def of(cls, application: Application, token: str = "") -> Visitor:
        """A visitor of this installation."""
        return cls(application.settings.public_url, token, mark_of(application))

    @property
    def host(self) -> str:
        """The installation's own host."""
        return urlsplit(self.home).hostname or ""

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, *, proved: bool = True
    ) -> Answer:
        """One request; with ``proved`` it shows, as Pigi's own pages do, that no other site sent it.

        Raises UnreachableError.
        """
        sent = {"X-Request-ID": f"{self.mark}{secrets.token_hex(8)}", "Accept": "text/html, application/json"}
        if self.token:
            sent["Cookie"] = f"{SESSION}={self.token}; {XSRF}={csrf_token(self.token)}"
            if proved:
                sent[XSRF_HEADER] = csrf_token(self.token)
        data = None if body is None else json.dumps(body)
        sent |= {"Content-Type": "application/json"} if data is not None else {}
        return self._send(method, path, data, {**sent, **(headers or {})})

    def _send(self, method: str, path: str, data: str | None, headers: dict[str, str]) -> Answer:
        parts = urlsplit(self.home)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            connection.request(method, f"{parts.path.rstrip('/')}{path}", data, headers)
            response = connection.getresponse()
            return Answer(path, response.status, tuple(response.getheaders()), response.read(MOST_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError from error
        finally:
            connection.close()

    def crawl(self, starts: Iterable[str], most: int) -> Iterator[tuple[Answer, Page]]:
        """Pages that links lead to from ``starts``, the nearest first, up to ``most``. Raises UnreachableError."""
        waiting, seen = deque(starts), set[str]()
        while waiting and len(seen) < most:
            path = waiting.popleft()
            if path in seen:
                continue
            seen.add(path)
            answer = self.ask("GET", path)
            page = Page(answer.text if answer.one("Content-Type").startswith("text/html") else "")
            waiting += [_at_home(self.home, path, link) for link in (*page.links, *answer.all("Location"))]
            waiting = deque(found for found in waiting if found and not found.startswith("/api/"))
            yield answer, page


class Page(HTMLParser):
    """What is in a page: links to other pages, and what a browser loads with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's addresses."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _LOADING and given.get(_LOADING[tag]):
            self.loaded.append((tag, given[_LOADING[tag]]))

    def hosts(self, home: str) -> set[str]:
        """The hosts that a browser would ask because of this page, without its own."""
        found = {urlsplit(urljoin(home, address)).hostname for _tag, address in self.loaded}
        return {host for host in found if host and host != urlsplit(home).hostname}


def _at_home(home: str, path: str, link: str) -> str:
    """The path of a link that stays with Pigi; empty for any other."""
    parts = urlsplit(urljoin(f"{home}{path}", link))
    own = urlsplit(home)
    return parts.path or "/" if (parts.scheme, parts.netloc) == (own.scheme, own.netloc) else ""


def mark_of(application: Application) -> str:
    """How the ids of the canary's requests begin here."""
    return f"canary-{application.keyring.digest(MARK, b'')[:24]}-"


def forget_visits(application: Application) -> None:
    """Remove the lines that earlier visits left in the request log: they are no use of the service."""
    own = LINES.c.request_id.startswith(mark_of(application)) & (LINES.c.at > now() - FORGOTTEN)
    with application.control.autocommit() as connection:
        connection.execute(delete(LINES).where(own))
