"""Pages in HTML, without scripts: those that Stripe hosts for people who pay, and an overview for developers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final

from standins.stripe import portal as portals
from standins.stripe.charges import CARDS
from standins.stripe.subscriptions import ENDED, first_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from standins.stripe.account import Account, Obj

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { line-height: 1.2; }
form { margin: 0 0 .5rem; }
form.row, td form { display: inline-block; margin: 0 .3rem .3rem 0; }
td form button { padding: .2rem .6rem; }
td:has(form.row) { min-width: 17rem; }
label { display: block; margin: .6rem 0; max-width: 24rem; }
label input, label select { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem; }
input[readonly] { border-style: dashed; opacity: .8; }
button { font: inherit; padding: .45rem 1rem; display: inline-block; min-height: 24px; cursor: pointer; }
.total { font-size: 1.25rem; font-weight: 600; }
.hint { opacity: .75; font-size: .9rem; }


@media (min-width: 40rem) { time { white-space: nowrap; } }
.scroll { overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; }
[role=alert] { max-width: 40rem; border: 2px solid #b3261e; padding: .5rem 1rem; }
.note { border-left: 4px solid #8886; padding-left: 1rem; }
"""
_NOTE: Final = '<p class="note">This is a stand-in for Stripe on this machine. No money moves.'
_LATEST: Final = 50
_JUMPS: Final = {"An hour on": 3600, "A day on": 86_400, "A week on": 7 * 86_400, "A month on": 31 * 86_400}
_SETTINGS: Final = {
    "mails_receipts": "Mails receipts",
    "retries_payments": "Tries failed payments again",
    "after_last_retry": "After the last try a subscription is",
    "deliveries_paused": "Webhooks wait",
    "rights": "Restricted keys may write all but",
}
_LATE: Final = {"past_due", "unpaid", "incomplete"}
_ALWAYS: Final = {"Renew": "renew", "Renew, card fails": "fail"}
_WHEN_LATE: Final = {"Pay": "pay", "Retry": "retry", "Give up": "give-up"}
_ACTS_HINT: Final = """<p class="hint">Renew goes to the end of the period, and moves the clock for all. Of a late
payment, Retry charges the card on file, Pay succeeds whatever the card, and Give up ends the tries."""


@dataclass(frozen=True)
class Page:
    """A page, or a redirect if it has a ``location``. Its forms may end at ``leads_to``, beside this server."""

    html: str = ""
    status: int = 200
    leads_to: Sequence[str] = ()
    location: str = ""

    @classmethod
    def to(cls, location: str) -> Page:
        """A redirect after a form."""
        return cls(location=location)


def frame(title: str, body: str) -> str:
    """A whole page around ``body``, which is HTML already."""
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<meta charset="utf-8">{view}<title>{escape(title)}</title><link rel="stylesheet" href="/style.css">'
    main = f"<main><h1>{escape(title)}</h1>{_NOTE}{body}</main>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{main}</body></html>'


def message(status: int, words: str) -> Page:
    """A page of one sentence."""
    return Page(frame("Stand-in for Stripe", f'<p>{escape(words)}<p><a href="/">To the overview</a>'), status)


def _alert(words: str) -> str:
    return f'<p role="alert">{escape(words)}' if words else ""


def money(amount: int, currency: str) -> str:
    """An amount of a currency with a hundredth."""
    return f"{amount / 100:,.2f} {currency.upper()}"


def date(moment: int | None) -> str:
    """A moment, as HTML; nothing for none."""
    return "" if moment is None else f"<time>{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC</time>"


def _price_words(account: Account, price: Obj) -> str:
    product = account.of("product")[price["product"]]["name"]
    return f"{product}, {money(price['unit_amount'], price['currency'])} a {price['recurring']['interval']}"


def _back(url: str | None) -> str:
    return f'<p><a href="{escape(url)}">Back</a>' if url else ""


def _field(name: str, title: str, value: str = "", more: str = "") -> str:
    return f'<label>{title} <input name="{name}" value="{escape(value)}" required {more}></label>'


def _cards(names: Iterable[str]) -> str:
    options = "".join(
        f'<option value="{name}">•••• {CARDS[name].last4}: {escape(CARDS[name].title)}</option>' for name in names
    )
    return f'<label>Test card <select name="card">{options}</select></label>'


def pay_page(account: Account, session: Obj, alert: str = "", status: int = 200) -> Page:
    """The page on which a checkout session is paid."""
    back = _back(session["cancel_url"])
    if session["status"] != "open":
        return Page(frame("Pay", f"<p>This page can't be paid any more: it is {session['status']}.{back}"), 410)
    price = account.of("price")[session["_price"]]
    customer = account.of("customer").get(session["customer"] or "", {})
    email = customer.get("email") or session["customer_email"] or ""
    fields = [
        _field("email", "E-mail", email, 'type="email" autocomplete="email"' + (" readonly" if email else "")),
        _cards(CARDS),
        _field("name", "Name on the card", "Sam Sample", 'autocomplete="cc-name"'),
        _field("line1", "Street", "1 Sample Street", 'autocomplete="address-line1"'),
        _field("postal_code", "Postal code", "10115", 'autocomplete="postal-code"'),
        _field("city", "Town", "Berlin", 'autocomplete="address-level2"'),
        _field("country", "Country (two letters)", "DE", 'maxlength="2" pattern="[A-Za-z]{2}" autocomplete="country"'),
    ]
    number = f"{session['_quantity']} x " if session["_quantity"] != 1 else ""
    words = f'<p class="total">{number}{escape(_price_words(account, price))}'
    action = f"/pay/{escape(session['id'])}"
    form = f'<form method="post" action="{action}">{"".join(fields)}<button>Pay and subscribe</button></form>'
    leads = [url for url in (session["success_url"], session["cancel_url"]) if url]
    return Page(frame("Pay", f"{_alert(alert)}{words}{form}{back}"), status, leads)


def portal_page(account: Account, token: str, alert: str = "", status: int = 200) -> Page:
    """The portal: what the customer has, and what may be done about it; a flow shows only its own part."""
    session = portals.opened(account, token)
    flow = session["flow"] or {}
    plans = "".join(_standing(account, session, token, one) for one in portals.standing(account, session))
    parts = {
        "subscription": f"<h2>Plan</h2>{plans or '<p>You have no plan.'}",
        "payment_method": f"<h2>Card</h2>{_card(account, session, token)}",
        "invoices": f"<h2>Invoices</h2>{_invoices(account, session, token)}",
    }
    if flow:
        parts = {name: part for name, part in parts.items() if flow["type"].startswith(name)}
    after = ((flow.get("after_completion") or {}).get("redirect") or {}).get("return_url")
    leads = [url for url in (session["return_url"], after) if url]
    body = f"{_alert(alert)}{''.join(parts.values())}{_back(session['return_url'])}"
    return Page(frame("Your plan", body), status, leads)


def _form(token: str, action: str, title: str, fields: str) -> str:
    where = f"/portal/{escape(token)}/{action}"
    return f'<form method="post" action="{where}">{fields}<button>{escape(title)}</button></form>'


def _card(account: Account, session: Obj, token: str) -> str:
    method = portals.on_file(account, session)
    words = f"On file: •••• {method['card']['last4']}" if method else "No card is on file."
    return f"<p>{words}</p>{_form(token, 'card', 'Use this card', _cards(CARDS))}"


def hidden(name: str, value: str) -> str:
    """A field of a form that nobody sees."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _standing(account: Account, session: Obj, token: str, one: Obj) -> str:
    item, features = first_item(one), account.of("billing_portal.configuration")[session["configuration"]]["features"]
    until = f"{'ends' if one['cancel_at_period_end'] else 'renews'} on {date(item['current_period_end'])}"
    parts = [f"<p>{escape(_price_words(account, item['price']))}: {one['status']}, {until}."]
    named, kind = hidden("subscription", one["id"]), (session["flow"] or {}).get("type", "subscription")
    offered = [price for product in features["subscription_update"]["products"] for price in product["prices"]]
    others = [price for price in offered if price != item["price"]["id"]]
    if features["subscription_update"]["enabled"] and others and kind != "subscription_cancel":
        options = "".join(
            f'<option value="{escape(name)}">{escape(_price_words(account, account.of("price")[name]))}</option>'
            for name in others
        )
        chosen = f'<label>New plan <select name="price">{options}</select></label>'
        parts.append(_form(token, "plan", "Change plan", named + chosen))
    if features["subscription_cancel"]["enabled"] and kind != "subscription_update":
        action, title = ("resume", "Keep plan") if one["cancel_at_period_end"] else ("cancel", "Cancel plan")
        parts.append(_form(token, action, title, named))
    return "".join(parts)


def _invoices(account: Account, session: Obj, token: str) -> str:
    rows = []
    for one in reversed(account.of("invoice").values()):
        if one["customer"] == session["customer"]:
            pays = _form(token, "invoice", "Pay", hidden("invoice", one["id"])) if one["status"] == "open" else ""
            amount = money(one["total"], one["currency"])
            rows.append([date(one["created"]), escape(one["number"] or ""), amount, one["status"], pays])
    return table(["Date", "Number", "Amount", "Status", ""], rows)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{title}' if title else "<td>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}' for cell in row)}" for row in rows)
    if not body:
        return "<p>None."
    # What scrolls can be reached by keyboard.
    return f'<div class="scroll" tabindex="0" role="group" aria-label="Table"><table><tr>{head}{body}</table></div>'


def invoice_page(invoice: Obj, alert: str = "", status: int = 200) -> Page:
    """An invoice's own page, which pays it while it is open."""
    number, amount = escape(invoice["number"]), money(invoice["total"], invoice["currency"])
    facts = f"<p>{number}, {date(invoice['created'])}: {amount}, {invoice['status']}."
    token = invoice["hosted_invoice_url"].rpartition("/")[2]
    form = f'<form method="post" action="/invoices/{escape(token)}">{_cards(CARDS)}<button>Pay</button></form>'
    body = f"{_alert(alert)}{facts}{form if invoice['status'] == 'open' else ''}"
    return Page(frame("Invoice", body), status)


def overview(account: Account) -> Page:
    """The page."""
    parts = {
        "Clock": f"<p>{date(account.now())}</p>"
        + "".join(_button(title, "advance", hidden("seconds", str(seconds))) for title, seconds in _JUMPS.items()),
        "Settings": "".join(_settings(account)),
        "Subscriptions": _subscriptions(account),
        "Open checkouts": _sessions(account),
        "Customers": _customers(account),
        "Invoices": _latest_invoices(account),
        "Mails that Stripe would send": _mails(account),
        "Events": _events(account),
    }
    body = "".join(f"<section><h2>{escape(title)}</h2>{part}</section>" for title, part in parts.items())
    return Page(frame("Stand-in for Stripe", body))


def _button(title: str, act: str, fields: str) -> str:
    inner = f"{hidden('act', act)}{fields}<button>{escape(title)}</button>"
    return f'<form class="row" method="post" action="/actions">{inner}</form>'


def _settings(account: Account) -> Iterator[str]:
    for name, value in account.settings.items():
        if isinstance(value, bool):
            yield _button(f"{_SETTINGS.get(name, name)}: {'yes' if value else 'no'}", "toggle", hidden("id", name))
        else:
            yield f"<p>{escape(_SETTINGS.get(name, name))}: {escape(str(value or 'nothing'))}</p>"


def _newest(account: Account, kind: str) -> list[Obj]:
    return [one for one in reversed(account.of(kind).values()) if "_deleted" not in one][:_LATEST]


def _subscriptions(account: Account) -> str:
    rows = []
    for one in _newest(account, "subscription"):
        item = first_item(one)
        fields = hidden("id", one["id"])
        acts = {} if one["status"] in ENDED else _ALWAYS | (_WHEN_LATE if one["status"] in _LATE else {})
        buttons = "".join(_button(*act, fields) for act in acts.items())
        follows = "ends" if one["cancel_at_period_end"] else "renews"
        until = f"ended {date(one['ended_at'])}" if one["ended_at"] else f"{follows} {date(item['current_period_end'])}"
        who = f'{_name(account, one["customer"])}<br><span class="hint">{escape(one["id"])}</span>'
        rows.append([who, escape(item["price"]["id"]), f"<b>{escape(one['status'])}</b>", until, buttons])
    shown = table(["Customer", "Price", "Status", "Period", "Let happen"], rows)
    return f"{_ACTS_HINT}{shown}" if rows else shown


def _name(account: Account, customer: str | None) -> str:
    return escape(account.of("customer").get(customer or "", {}).get("name") or customer or "")


def _sessions(account: Account) -> str:
    rows = [
        [f'<a href="/pay/{escape(one["id"])}">{escape(one["_price"])}</a>', _name(account, one["customer"])]
        for one in _newest(account, "checkout.session")
        if one["status"] == "open"
    ]
    return table(["Price", "Customer"], rows)


def _customers(account: Account) -> str:
    names = ("name", "email", "id")
    rows = [[escape(one[name] or "") for name in names] for one in _newest(account, "customer")]
    return table(["Name", "E-mail", "Id"], rows)


def _latest_invoices(account: Account) -> str:
    rows = [
        [
            _name(account, one["customer"]),
            *map(escape, (money(one["total"], one["currency"]), one["status"], one["id"])),
        ]
        for one in _newest(account, "invoice")
    ]
    return table(["Customer", "Amount", "Status", "Id"], rows)


def _mails(account: Account) -> str:
    rows = [
        [date(one["at"]), escape(one["type"]), _name(account, one["customer"])]
        for one in account.mails[: -_LATEST - 1 : -1]
    ]
    return table(["Time", "What", "Customer"], rows)


def _events(account: Account) -> str:
    rows = [
        [date(one["created"]), escape(one["type"]), str(one["pending_webhooks"] or ""), escape(one["id"])]
        for one in _newest(account, "event")
    ]
    return table(["Time", "Type", "Waits for", "Id"], rows)
