"""The last mails that were taken, in memory alone, and the HTTP server that shows them to people and tests.

Nothing that a mail holds can run, load or leave.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage
    from types import TracebackType
    from typing import Self

KEPT: Final = 200
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")
_STRICT: Final = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# A mail's styles are inlined. Sandboxed, it has no scripts, no forms and no origin.
_OF_A_MAIL: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_HTML: Final = "text/html; charset=utf-8"
_PLAIN: Final = "text/plain; charset=utf-8"
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8886; padding: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid #8886; background: Canvas; }
"""


@dataclass(frozen=True, repr=False)
class Parcel:
    """A mail as it arrived; ``number`` counts from 1 and names it in the outbox."""

    number: int
    at: str
    sender: str
    recipients: tuple[str, ...]
    source: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return email.message_from_bytes(self.source, policy=email.policy.default)

    def part(self, kind: str) -> str:
        """The text of the part ``plain`` or ``html``; empty if there is none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""

    @property
    def links(self) -> list[str]:
        """The links of the text part, in order."""
        return [found.rstrip(".,)") for found in _LINK.findall(self.part("plain"))]

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    def as_json(self) -> dict[str, Any]:
        """All that a test may want to know of it."""
        told = {name: value for name, value in asdict(self).items() if name != "source"}
        more = {"subject": self.subject, "message_id": str(self.message["Message-ID"] or ""), "links": self.links}
        return {**told, **more, "text": self.part("plain"), "html": self.part("html")}


class Outbox:
    """The last mails, newest last; safe to use from many threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._parcels: deque[Parcel] = deque(maxlen=kept)
        self._count = 0
        self._lock = threading.Lock()

    def put(self, sender: str, recipients: Sequence[str], source: bytes) -> None:
        """Keep a mail, and forget the oldest if there are too many."""
        with self._lock:
            self._count += 1
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self._parcels.append(Parcel(self._count, at, sender, tuple(recipients), source))

    def parcels(self, to: str | None = None) -> list[Parcel]:
        """Those to one recipient, or all; the newest last."""
        with self._lock:
            found = list(self._parcels)
        wanted = None if to is None else to.casefold()
        return [parcel for parcel in found if wanted is None or wanted in map(str.casefold, parcel.recipients)]

    def parcel(self, number: int) -> Parcel | None:
        """The mail of that number, if it is still kept."""
        return next((parcel for parcel in self.parcels() if parcel.number == number), None)


class OutboxPages(ThreadingHTTPServer):
    """The server; a context manager that serves in a thread."""

    daemon_threads = True

    def __init__(self, outbox: Outbox, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Pages)
        self.outbox = outbox

    @property
    def url(self) -> str:
        """Where the outbox is looked at."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a reader that left is no error."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pigi-standin"
    sys_version = ""
    server: OutboxPages

    def do_GET(self) -> None:
        if urlsplit(f"//{self.headers.get('host', '')}").hostname not in _LOCAL:
            # A page on the net whose name was pointed at this machine would send its own name (DNS rebinding).
            self._send(403, _PLAIN, "Only under this machine's own name.\n")
            return
        url = urlsplit(self.path)
        match url.path.strip("/").split("/"):
            case [""]:
                self._send(200, _HTML, _list(self.server.outbox), {"Refresh": "5"})
            case ["healthz"]:
                self._send_json({"status": "ok"})
            case ["style.css"]:
                self._send(200, "text/css; charset=utf-8", _STYLE)
            case ["mails"]:
                to = parse_qs(url.query).get("to", [None])[0]
                self._send_json([parcel.as_json() for parcel in self.server.outbox.parcels(to)])
            case ["mails", number, *form]:
                self._send_mail(number, form)
            case _:
                self._send(404, _PLAIN, "Not found.\n")

    def _send_mail(self, number: str, form: list[str]) -> None:
        parcel = self.server.outbox.parcel(int(number)) if number.isdecimal() else None
        if parcel is None:
            self._send(404, _PLAIN, "There is no such mail, or it was pushed out by newer ones.\n")
            return
        match form:
            case []:
                self._send(200, _HTML, _page(parcel))
            case ["html"]:
                self._send(200, _HTML, parcel.part("html"), {"Content-Security-Policy": _OF_A_MAIL})
            case ["source"]:
                self._send(200, _PLAIN, parcel.source.decode("utf-8", "replace"))
            case _:
                self._send(404, _PLAIN, "Not found.\n")

    def _send_json(self, value: object) -> None:
        self._send(200, "application/json", json.dumps(value))

    def _send(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        guards = {"Content-Security-Policy": _STRICT, "X-Content-Type-Options": "nosniff"}
        privacy = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(body)), **guards, **privacy, **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


def _frame(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><link rel="stylesheet" href="/style.css">'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>'


def _list(outbox: Outbox) -> str:
    rows = "".join(
        f"<tr><td>{escape(parcel.at)}<td>{escape(', '.join(parcel.recipients))}"
        f'<td><a href="/mails/{parcel.number}">{escape(parcel.subject) or "(no subject)"}</a>'
        for parcel in reversed(outbox.parcels())
    )
    if not rows:
        return _frame("Outbox", "<p>No mail yet. What Pigi sends in development comes here and goes nowhere else.</p>")
    return _frame("Outbox", f"<table><tr><th>Time<th>To<th>Subject{rows}</table>")


def _page(parcel: Parcel) -> str:
    links = "".join(f'<li><a href="{escape(link)}">{escape(link)}</a>' for link in parcel.links)
    facts = f"<p>To {escape(', '.join(parcel.recipients))}, {escape(parcel.at)}"
    source = f'<p><a href="/mails/{parcel.number}/source">Source</a> · <a href="/">Outbox</a>'
    # Links of the framed mail lead nowhere, by its sandbox: that is what the list above is for.
    framed = f'<h2>HTML</h2><iframe sandbox src="/mails/{parcel.number}/html" title="The mail as HTML"></iframe>'
    text = f"<h2>Text</h2><pre>{escape(parcel.part('plain'))}</pre>"
    return _frame(parcel.subject, f"{facts}<h2>Links</h2><ul>{links}</ul>{text}{framed}{source}")
