"""Stripe's objects, read down to what the port speaks of. Anything not as documented raises what a dict raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pigi.domain.subscriptions import Subscription
from pigi.ports.billing import Customer, Invoice, Page, Price

if TYPE_CHECKING:
    from pigi.ports.billing import Contact

_COUNTRY = re.compile("[A-Z]{2}")


def id_of(value: dict[str, Any]) -> str:
    """The object's id."""
    return str(value["id"])


def named(value: Any) -> str | None:
    """The id of what a field refers to, be it the id alone or the object; None for nothing."""
    found = value.get("id") if isinstance(value, dict) else value
    return None if found is None else str(found)


def noted(value: dict[str, Any], name: str) -> str | None:
    """What Pigi wrote into the object's metadata under that name; None for nothing."""
    return named((value.get("metadata") or {}).get(name))


def moment(seconds: Any) -> datetime:
    """A moment as Stripe writes it, in seconds of Unix time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def country(address: dict[str, Any] | None) -> str | None:
    """Two capital letters (ISO 3166-1), if the address says so; nothing else of it."""
    found = (address or {}).get("country")
    return found if found and _COUNTRY.fullmatch(found) else None


def read_customer(value: dict[str, Any], contact: Contact | None = None) -> Customer:
    """A customer, held against ``contact``; its own name and address stay here."""
    in_step = None if contact is None else (value.get("name"), value.get("email")) == (contact.name, contact.email)
    return Customer(id_of(value), noted(value, "organisation"), in_step)


def read_subscription(value: dict[str, Any]) -> Subscription:
    """A subscription with the prices of its items, as many as come with it (ten at least).

    Periods are the items' (API reference, "The SubscriptionItem object"); one that ends with its period may say only
    that, and not when.
    """
    items = value["items"]["data"]
    prices = tuple(str(named(item["price"])) for item in items)
    customer, periods = str(named(value["customer"])), [item["current_period_end"] for item in items]
    period = moment(min(periods)) if periods else None
    ends = value["ended_at"] or value["cancel_at"]
    at_period_end = period if value["cancel_at_period_end"] else None
    return Subscription(
        id_of(value),
        customer,
        value["status"],
        prices,
        moment(value["created"]),
        period,
        moment(ends) if ends else at_period_end,
    )


def read_invoice(value: dict[str, Any]) -> Invoice:
    """An invoice that is final, with the page on which it can be read."""
    total, url = int(value["total"]), value["hosted_invoice_url"]
    return Invoice(moment(value["created"]), total, str(value["currency"]), str(value["status"]), url and str(url))


def read_page(value: dict[str, Any]) -> Page:
    """A hosted page."""
    return Page(id_of(value), str(value["url"]))


def read_price(value: dict[str, Any]) -> Price:
    """A price. One that is paid once, and so buys no subscription, is not active, whatever Stripe says."""
    cycle = value["recurring"]
    interval, count = (cycle["interval"], cycle["interval_count"]) if cycle else ("", 0)
    usable = bool(value["active"]) and cycle is not None
    return Price(id_of(value), value["unit_amount"], value["currency"], interval, count, usable)
