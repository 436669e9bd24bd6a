"""Replies to requests that are not for the API, from this machine alone: pages, their forms, and controls in JSON.

The controls are under ``/_standin/``, for tests. Each form ends in a redirect, so that a page that
is loaded again does nothing twice.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from standins.stripe import checkout, invoices, pages, portal
from standins.stripe.charges import CARDS, new_method
from standins.stripe.checkout import Buyer
from standins.stripe.handler import Fault, Reply
from standins.stripe.pages import Page, overview
from standins.stripe.requests import RequestError, invalid
from standins.stripe.subscriptions import retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from standins.stripe.account import Account, Obj
    from standins.stripe.controls import Controls
    from standins.stripe.requests import Request

    Control = Callable[[Controls, list[str], Obj], Any]
    Form = dict[str, str]

_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HTML: Final = "text/html; charset=utf-8"
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
_FIELDS: Final = ("card", "name", "email", "country", "line1", "city", "postal_code")
_COUNTRY: Final = 2
_WAITS: Final = "The bank wants a confirmation, which this test card never gets. Nothing was paid."


def reply(controls: Controls, request: Request) -> Reply:
    """The reply to a request that is not for the API."""
    if not _is_local(request):
        return Reply(403, "text/plain; charset=utf-8", b"Only under this machine's own name, from its own pages.\n")
    parts = request.path.strip("/").split("/")
    if parts[0] == "_standin":
        return _control(controls, request, parts[1:])
    if parts == ["style.css"]:
        return Reply(200, "text/css; charset=utf-8", pages.STYLE.encode())
    try:
        return _page(_seen(controls, parts) if request.method == "GET" else _posted(controls, request, parts))
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


def _seen(controls: Controls, parts: list[str]) -> Page:
    with controls.acting() as account:
        match parts:
            case [""]:
                return overview(account)
            case ["pay", name]:
                return pages.pay_page(account, account.get("checkout.session", name))
            case ["portal", token]:
                return pages.portal_page(account, token)
            case ["invoices", token]:
                return pages.invoice_page(_hosted(account, token))
    raise RequestError(404, "There is no such page.")


def _posted(controls: Controls, request: Request, parts: list[str]) -> Page:
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    match parts:
        case ["pay", name]:
            return _pay(controls, name, form)
        case ["portal", token, action]:
            return _portal(controls, token, action, form)
        case ["invoices", token]:
            return _pay_hosted(controls, token, form)
        case ["actions"]:
            return _act(controls, form)
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


def _control(controls: Controls, request: Request, parts: list[str]) -> Reply:
    try:
        body = json.loads(request.body or b"{}")
        return _json(200, _find(request.method, parts)(controls, parts, body) or {})
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


def _plan(controls: Controls, _parts: list[str], body: Obj) -> None:
    options = {name: value for name, value in body.items() if name not in {"method", "path", "fault", "times"}}
    controls.faults.plan(body["method"], body["path"], Fault(body["fault"], **options), int(body.get("times", 1)))


_SUBSCRIPTION: Final = ("subscriptions", "*")
_CONTROLS: Final[tuple[tuple[str, tuple[str, ...], Control], ...]] = (
    ("GET", ("state",), lambda controls, _parts, _body: controls.state()),
    ("POST", ("advance",), lambda controls, _parts, body: controls.advance(float(body["seconds"]))),
    ("POST", ("sessions", "*", "pay"), lambda controls, parts, body: controls.pay(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "renew"), lambda controls, parts, body: controls.renew(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "pay"), lambda controls, parts, _: {"paid": controls.retry_payment(parts[1], pay=True)}),
    (
        "POST",
        (*_SUBSCRIPTION, "retry"),
        lambda controls, parts, body: {"paid": controls.retry_payment(parts[1], **body)},
    ),
    ("POST", (*_SUBSCRIPTION, "give-up"), lambda controls, parts, body: controls.give_up(parts[1], **body)),
    ("POST", (*_SUBSCRIPTION, "status"), lambda controls, parts, body: controls.set_status(parts[1], **body)),
    ("POST", ("charges", "*", "refund"), lambda controls, parts, body: controls.refund(parts[1], **body)),
    ("POST", ("charges", "*", "dispute"), lambda controls, parts, body: controls.dispute(parts[1], **body)),
    ("POST", ("refunds", "*", "fail"), lambda controls, parts, _body: controls.fail_refund(parts[1])),
    ("POST", ("disputes", "*", "reinstate"), lambda controls, parts, _body: controls.reinstate(parts[1])),
    ("POST", ("faults",), _plan),
    ("DELETE", ("faults",), lambda controls, _parts, _body: controls.faults.clear()),
    ("POST", ("account",), lambda controls, _parts, body: controls.set_account(**body)),
    ("POST", ("deliveries",), lambda controls, _parts, body: controls.pause_deliveries(paused=bool(body["paused"]))),
)
"""Method, path below ``/_standin/``, and the method of `standins.stripe.controls.Controls` that it calls."""


def _buyer(form: Form) -> Buyer:
    """Who pays, as was typed in; a 400 for what can't be."""
    found = Buyer(**{name: form[name].strip() for name in _FIELDS if form.get(name, "").strip()})
    if found.card not in CARDS:
        raise invalid("There is no such test card.")
    if len(found.country) != _COUNTRY or not found.country.isalpha() or not found.country.isascii():
        raise invalid("A country is two letters, such as DE.")
    return found


def _pay(controls: Controls, name: str, form: Form) -> Page:
    """Pay a checkout session, and go where it leads; a card that doesn't pay leaves the page as it is, and says why."""
    payer = _buyer(form)
    with controls.acting() as account:
        session = account.get("checkout.session", name)
        try:
            checkout.pay(account, name, payer)
        except RequestError as refusal:
            if refusal.status != 402:  # noqa: PLR2004 - payment required: the card was declined
                raise
            return pages.pay_page(account, session, str(refusal), 402)
        if session["status"] == "open":
            return pages.pay_page(account, session, _WAITS, 402)
        return Page.to(session["success_url"].replace("{CHECKOUT_SESSION_ID}", name))


def _portal(controls: Controls, token: str, action: str, form: Form) -> Page:
    """Do something on the portal's page, and show it again, or go where its flow leads."""
    with controls.acting() as account:
        session = portal.opened(account, token)
        try:
            _PORTAL.get(action, _unknown)(account, session, form)
        except RequestError as refusal:
            return pages.portal_page(account, token, str(refusal), refusal.status)
        after = ((session["flow"] or {}).get("after_completion") or {}).get("redirect") or {}
        return Page.to(after.get("return_url") or f"/portal/{token}")


def _unknown(_account: Account, _session: Obj, _form: Form) -> None:
    raise RequestError(404, "There is no such page.")


_PORTAL: Final[dict[str, Callable[[Account, Obj, Form], None]]] = {
    "plan": lambda account, session, form: portal.change_plan(
        account, session, form.get("subscription", ""), form.get("price", "")
    ),
    "cancel": lambda account, session, form: portal.cancel(
        account, session, form.get("subscription", ""), cancels=True
    ),
    "resume": lambda account, session, form: portal.cancel(
        account, session, form.get("subscription", ""), cancels=False
    ),
    "card": lambda account, session, form: portal.change_card(account, session, _buyer(form)),
    "invoice": lambda account, session, form: portal.pay_invoice(account, session, form.get("invoice", "")),
}


def _hosted(account: Account, token: str) -> Obj:
    """The invoice whose page has this address."""
    for invoice in account.of("invoice").values():
        url = invoice["hosted_invoice_url"] or ""
        if secrets.compare_digest(url.rpartition("/")[2].encode(), token.encode()):
            return invoice
    raise RequestError(404, "There is no such invoice.")


def _pay_hosted(controls: Controls, token: str, form: Form) -> Page:
    """Pay an open invoice on its page, with the card that is chosen there."""
    payer = _buyer(form)
    with controls.acting() as account:
        invoice = _hosted(account, token)
        invoices.expect(invoice, "open", words="This invoice can't be paid any more.")
        if payer.card == "declined":
            return pages.invoice_page(invoice, "Your card was declined.", 402)
        subscription = account.of("subscription")[invoice["_subscription"]]
        method = new_method(account, invoice["customer"], payer.card, payer.details)
        subscription["default_payment_method"] = method["id"]
        paid = retry(account, invoice)
        return Page.to(f"/invoices/{token}") if paid else pages.invoice_page(invoice, _WAITS, 402)


def _act(controls: Controls, form: Form) -> Page:
    """A button of the overview."""
    name = form.get("id", "")
    match form.get("act"):
        case "advance":
            controls.advance(float(form.get("seconds", "0")))
        case "renew" | "fail":
            controls.renew(name, pay=form["act"] == "renew")
        case "pay":
            controls.retry_payment(name, pay=True)
        case "retry":
            controls.retry_payment(name)
        case "give-up":
            controls.give_up(name)
        case "toggle" if isinstance(controls.account.settings.get(name), bool):
            controls.set_account(**{name: not controls.account.settings[name]})
        case _:
            raise RequestError(404, "There is no such button.")
    return Page.to("/")
