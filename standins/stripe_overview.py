"""The overview for whoever develops: what the account holds, with buttons for what happens at Stripe by itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from standins.stripe_pages import Page, date, frame, hidden, money, table
from standins.stripe_subscriptions import ENDED, first_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standins.stripe_state import Account, Obj

_LATEST: Final = 50
_JUMPS: Final = {"An hour on": 3600, "A day on": 86_400, "A week on": 7 * 86_400, "A month on": 31 * 86_400}


def overview(account: Account) -> Page:
    """The page."""
    parts = {
        f"Clock: {date(account.now())} UTC": "".join(
            _button(title, "advance", hidden("seconds", str(seconds))) for title, seconds in _JUMPS.items()
        ),
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
            yield _button(f"{name}: {'on' if value else 'off'}", "toggle", hidden("id", name))
        else:
            yield f"<p>{escape(name)}: {escape(str(value))}"


def _newest(account: Account, kind: str) -> list[Obj]:
    return [one for one in reversed(account.of(kind).values()) if "_deleted" not in one][:_LATEST]


def _subscriptions(account: Account) -> str:
    acts = {"Renew": "renew", "Renew, card fails": "fail", "Pay": "pay", "Retry": "retry", "Give up": "give-up"}
    rows = []
    for one in _newest(account, "subscription"):
        item = first_item(one)
        fields = hidden("id", one["id"])
        buttons = "" if one["status"] in ENDED else "".join(_button(*act, fields) for act in acts.items())
        told = [one["id"], one["customer"], item["price"]["id"], one["status"], date(item["current_period_end"])]
        rows.append([*map(escape, told), buttons])
    return table(["Id", "Customer", "Price", "Status", "Period ends", ""], rows)


def _sessions(account: Account) -> str:
    rows = [
        [f'<a href="/pay/{escape(one["id"])}">{escape(one["_price"])}</a>', escape(one["customer"] or "")]
        for one in _newest(account, "checkout.session")
        if one["status"] == "open"
    ]
    return table(["Price", "Customer"], rows)


def _customers(account: Account) -> str:
    names = ("id", "name", "email")
    rows = [[escape(one[name] or "") for name in names] for one in _newest(account, "customer")]
    return table(["Id", "Name", "E-mail"], rows)


def _invoices(account: Account) -> str:
    rows = [
        [*map(escape, (one["id"], one["customer"], money(one["total"], one["currency"]), one["status"]))]
        for one in _newest(account, "invoice")
    ]
    return table(["Id", "Customer", "Amount", "Status"], rows)


def _mails(account: Account) -> str:
    rows = [
        [date(one["at"]), *map(escape, (one["type"], one["customer"]))] for one in account.mails[: -_LATEST - 1 : -1]
    ]
    return table(["Time", "What", "Customer"], rows)


def _events(account: Account) -> str:
    rows = [
        [date(one["created"]), escape(one["type"]), escape(one["id"]), str(one["pending_webhooks"] or "")]
        for one in _newest(account, "event")
    ]
    return table(["Time", "Type", "Id", "Waiting for"], rows)
