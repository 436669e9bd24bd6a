"""The overview for whoever develops: what the account holds, with buttons for what happens at Stripe by itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from standins.stripe.pages import Page, date, frame, hidden, money, table
from standins.stripe.subscriptions import ENDED, first_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standins.stripe.account import Account, Obj

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


def overview(account: Account) -> Page:
    """The page."""
    parts = {
        "Clock": f"<p>{date(account.now())}</p>"
        + "".join(_button(title, "advance", hidden("seconds", str(seconds))) for title, seconds in _JUMPS.items()),
        "Settings": "".join(_settings(account)),
        "Subscriptions": _subscriptions(account),
        "Open checkouts": _sessions(account),
        "Customers": _customers(account),
        "Invoices": _invoices(account),
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


def _invoices(account: Account) -> str:
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
