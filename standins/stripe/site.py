"""All but the API: pages for people, and controls in JSON under ``/_standin/`` for drills. This machine's alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from standins.stripe import forms, pages
from standins.stripe.errors import RequestError
from standins.stripe.overview import overview
from standins.stripe.planned import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from standins.stripe.account import Obj
    from standins.stripe.api import Request
    from standins.stripe.pages import Page
    from standins.stripe.server import StripeStandIn

    Control = Callable[[StripeStandIn, list[str], Obj], Any]

_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HTML: Final = "text/html; charset=utf-8"
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    status: int
    kind: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def reply(server: StripeStandIn, request: Request) -> Reply:
    """The reply to a request that is not for the API."""
    if not _is_local(request):
        return Reply(403, "text/plain; charset=utf-8", b"Only under this machine's own name, from its own pages.\n")
    parts = request.path.strip("/").split("/")
    if parts[0] == "_standin":
        return _control(server, request, parts[1:])
    if parts == ["style.css"]:
        return Reply(200, "text/css; charset=utf-8", pages.STYLE.encode())
    try:
        return _page(_seen(server, parts) if request.method == "GET" else _posted(server, request, parts))
    except RequestError as refusal:
        return _page(pages.message(refusal.status, str(refusal)))


def _is_local(request: Request) -> bool:
    """Whether it came under a name of this machine, and from no other site.

    A page on the net whose name was pointed at this machine would send its own name (DNS rebinding); one that posts a
    form here would send its origin.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    return urlsplit(f"//{host}").hostname in _LOCAL and origin in {None, f"http://{host}"}


def _seen(server: StripeStandIn, parts: list[str]) -> Page:
    with server.acting() as account:
        match parts:
            case [""]:
                return overview(account)
            case ["pay", name]:
                return pages.pay_page(account, account.get("checkout.session", name))
            case ["portal", token]:
                return pages.portal_page(account, token)
            case ["invoices", token]:
                return pages.invoice_page(forms.hosted(account, token))
    raise RequestError(404, "There is no such page.")


def _posted(server: StripeStandIn, request: Request, parts: list[str]) -> Page:
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    match parts:
        case ["pay", name]:
            return forms.pay(server, name, form)
        case ["portal", token, action]:
            return forms.portal(server, token, action, form)
        case ["invoices", token]:
            return forms.pay_hosted(server, token, form)
        case ["actions"]:
            return forms.act(server, form)
    raise RequestError(404, "There is no such page.")


def _page(page: Page) -> Reply:
    leads = " ".join(sorted({f"{url.scheme}://{url.netloc}" for url in map(urlsplit, page.leads_to) if url.netloc}))
    headers = {
        "Content-Security-Policy": f"{_POLICY} {leads}".strip(),
        "X-Content-Type-Options": "nosniff",
        # Not stricter: without a referrer a browser hides the origin of this page's own forms, too.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if page.location:
        return Reply(303, _HTML, b"", {**headers, "Location": page.location})
    return Reply(page.status, _HTML, page.html.encode(), headers)


def _control(server: StripeStandIn, request: Request, parts: list[str]) -> Reply:
    try:
        body = json.loads(request.body or b"{}")
        return _json(200, _find(request.method, parts)(server, parts, body) or {})
    except RequestError as refusal:
        return _json(refusal.status, refusal.body)
    except (ValueError, TypeError, KeyError, AttributeError):
        return _json(400, {"error": {"message": "The body is not what this control takes."}})


def _json(status: int, value: Any) -> Reply:
    return Reply(status, "application/json", json.dumps(value).encode(), {"Cache-Control": "no-store"})


def _find(method: str, parts: list[str]) -> Control:
    for wanted, pattern, control in _CONTROLS:
        if method == wanted and len(pattern) == len(parts) and all(map(_same, pattern, parts)):
            return control
    raise RequestError(404, "There is no such control.")


def _same(pattern: str, part: str) -> bool:
    return pattern in {"*", part}


def _plan(server: StripeStandIn, _parts: list[str], body: Obj) -> None:
    options = {name: value for name, value in body.items() if name not in {"method", "path", "fault", "times"}}
    server.faults.plan(body["method"], body["path"], Fault(body["fault"], **options), int(body.get("times", 1)))


_SUBSCRIPTION: Final = ("subscriptions", "*")
_CONTROLS: Final[tuple[tuple[str, tuple[str, ...], Control], ...]] = (
    ("GET", ("state",), lambda server, _parts, _body: server.state()),
    ("POST", ("advance",), lambda server, _parts, body: server.advance(float(body["seconds"]))),
    ("POST", ("sessions", "*", "pay"), lambda server, parts, body: server.pay(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "renew"), lambda server, parts, body: server.renew(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "pay"), lambda server, parts, _: {"paid": server.retry_payment(parts[1], pay=True)}),
    ("POST", (*_SUBSCRIPTION, "retry"), lambda server, parts, body: {"paid": server.retry_payment(parts[1], **body)}),
    ("POST", (*_SUBSCRIPTION, "give-up"), lambda server, parts, body: server.give_up(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "status"), lambda server, parts, body: server.set_status(parts[1], **body)),
    ("POST", ("charges", "*", "refund"), lambda server, parts, body: server.refund(parts[1], **body)),
    ("POST", ("charges", "*", "dispute"), lambda server, parts, body: server.dispute(parts[1], **body)),
    ("POST", ("refunds", "*", "fail"), lambda server, parts, _body: server.fail_refund(parts[1])),
    ("POST", ("disputes", "*", "reinstate"), lambda server, parts, _body: server.reinstate(parts[1])),
    ("POST", ("faults",), _plan),
    ("DELETE", ("faults",), lambda server, _parts, _body: server.faults.clear()),
    ("POST", ("account",), lambda server, _parts, body: server.set_account(**body)),
    ("POST", ("deliveries",), lambda server, _parts, body: server.pause_deliveries(paused=bool(body["paused"]))),
)
"""Method, path below ``/_standin/``, and the method of `standins.stripe.controls.Controls` that it calls."""
