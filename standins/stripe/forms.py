"""What the pages' forms do. Each ends in a redirect, so that a page that is loaded again does nothing twice."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from standins.stripe import checkout, invoices, pages
from standins.stripe import portal as portals
from standins.stripe.charges import CARDS, new_method
from standins.stripe.checkout import Buyer
from standins.stripe.clock import retry
from standins.stripe.errors import RequestError, invalid
from standins.stripe.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from standins.stripe.account import Account, Obj
    from standins.stripe.server import StripeStandIn

    Form = dict[str, str]

_FIELDS: Final = ("card", "name", "email", "country", "line1", "city", "postal_code")
_COUNTRY: Final = 2
_WAITS: Final = "The bank wants a confirmation, which this test card never gets. Nothing was paid."


def buyer(form: Form) -> Buyer:
    """Who pays, as was typed in; a 400 for what can't be."""
    found = Buyer(**{name: form[name].strip() for name in _FIELDS if form.get(name, "").strip()})
    if found.card not in CARDS:
        raise invalid("There is no such test card.")
    if len(found.country) != _COUNTRY or not found.country.isalpha() or not found.country.isascii():
        raise invalid("A country is two letters, such as DE.")
    return found


def pay(server: StripeStandIn, name: str, form: Form) -> Page:
    """Pay a checkout session, and go where it leads; a card that doesn't pay leaves the page as it is, and says why."""
    payer = buyer(form)
    with server.acting() as account:
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


def portal(server: StripeStandIn, token: str, action: str, form: Form) -> Page:
    """Do something on the portal's page, and show it again, or go where its flow leads."""
    with server.acting() as account:
        session = portals.opened(account, token)
        try:
            _PORTAL.get(action, _unknown)(account, session, form)
        except RequestError as refusal:
            return pages.portal_page(account, token, str(refusal), refusal.status)
        after = ((session["flow"] or {}).get("after_completion") or {}).get("redirect") or {}
        return Page.to(after.get("return_url") or f"/portal/{token}")


def _unknown(_account: Account, _session: Obj, _form: Form) -> None:
    raise RequestError(404, "There is no such page.")


_PORTAL: Final[dict[str, Callable[[Account, Obj, Form], None]]] = {
    "plan": lambda account, session, form: portals.change_plan(
        account, session, form.get("subscription", ""), form.get("price", "")
    ),
    "cancel": lambda account, session, form: portals.cancel(
        account, session, form.get("subscription", ""), cancels=True
    ),
    "resume": lambda account, session, form: portals.cancel(
        account, session, form.get("subscription", ""), cancels=False
    ),
    "card": lambda account, session, form: portals.change_card(account, session, buyer(form)),
    "invoice": lambda account, session, form: portals.pay_invoice(account, session, form.get("invoice", "")),
}


def hosted(account: Account, token: str) -> Obj:
    """The invoice whose page has this address."""
    for invoice in account.of("invoice").values():
        url = invoice["hosted_invoice_url"] or ""
        if secrets.compare_digest(url.rpartition("/")[2].encode(), token.encode()):
            return invoice
    raise RequestError(404, "There is no such invoice.")


def pay_hosted(server: StripeStandIn, token: str, form: Form) -> Page:
    """Pay an open invoice on its page, with the card that is chosen there."""
    payer = buyer(form)
    with server.acting() as account:
        invoice = hosted(account, token)
        invoices.expect(invoice, "open", words="This invoice can't be paid any more.")
        if payer.card == "declined":
            return pages.invoice_page(invoice, "Your card was declined.", 402)
        subscription = account.of("subscription")[invoice["_subscription"]]
        method = new_method(account, invoice["customer"], payer.card, payer.details)
        subscription["default_payment_method"] = method["id"]
        paid = retry(account, invoice)
        return Page.to(f"/invoices/{token}") if paid else pages.invoice_page(invoice, _WAITS, 402)


def act(server: StripeStandIn, form: Form) -> Page:
    """A button of the overview."""
    name = form.get("id", "")
    match form.get("act"):
        case "advance":
            server.advance(float(form.get("seconds", "0")))
        case "renew" | "fail":
            server.renew(name, pay=form["act"] == "renew")
        case "pay":
            server.retry_payment(name, pay=True)
        case "retry":
            server.retry_payment(name)
        case "give-up":
            server.give_up(name)
        case "toggle" if isinstance(server.account.settings.get(name), bool):
            server.set_account(**{name: not server.account.settings[name]})
        case _:
            raise RequestError(404, "There is no such button.")
    return Page.to("/")
