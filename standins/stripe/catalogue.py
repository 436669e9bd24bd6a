"""The catalogue: products and prices, given at the start; and the account's own endpoint."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import page
from standins.stripe.requests import invalid

if TYPE_CHECKING:
    from standins.stripe.account import Account, Obj
    from standins.stripe.requests import Parameters

PRICES: Final = "price_team_month=4900:eur:month,price_team_year=49000:eur:year,price_business_month=19900:eur:month"
"""What is sold unless other prices are given: ``id=amount:currency:interval`` each, in the smallest unit."""

_ENTRY: Final = re.compile(r"(?P<id>\w+)=(?P<amount>\d+):(?P<currency>[a-z]{3}):(?P<interval>day|week|month|year)")
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12}
_DAY_SECONDS: Final = 86_400


def stock(account: Account, prices: str) -> None:
    """Offer ``prices``; those that the account has already stay as they are. Raises ValueError for a bad list."""
    for entry in filter(None, re.split(r"[,\s]+", prices)):
        found = _ENTRY.fullmatch(entry)
        if found is None:
            raise ValueError(f"a price must be id=amount:currency:interval, not {entry!r}")
        # Prices for different periods of one product share it, as a portal's "change plan" needs.
        name = re.sub(r"^price_|_(day|week|month|year)(ly)?$", "", found["id"])
        _add_product(account, f"prod_{name}", name.replace("_", " ").capitalize())
        if found["id"] not in account.of("price"):
            account.add(_price(account.now(), found, f"prod_{name}"))


def _add_product(account: Account, name: str, title: str) -> None:
    if name in account.of("product"):
        return
    told: Obj = {"id": name, "object": "product", "active": True, "created": account.now(), "default_price": None}
    more: Obj = {"description": None, "images": [], "livemode": False, "marketing_features": [], "metadata": {}}
    last: Obj = {"package_dimensions": None, "shippable": None, "statement_descriptor": None, "tax_code": None}
    account.add({**told, **more, **last, "name": title, "type": "service", "updated": account.now(), "url": None})


def _price(now: int, found: re.Match[str], product: str) -> Obj:
    return {
        "id": found["id"],
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": found["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": {
            "interval": found["interval"],
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": int(found["amount"]),
        "unit_amount_decimal": found["amount"],
    }


def list_products(account: Account, params: Parameters) -> Obj:
    """``GET /v1/products``."""
    ids, active = params.get("ids"), params.get("active")
    return page(
        account,
        "/v1/products",
        "product",
        params,
        lambda one: (not ids or one["id"] in ids) and active in {None, one["active"]},
    )


def list_prices(account: Account, params: Parameters) -> Obj:
    """``GET /v1/prices``."""
    wanted = {name: params[name] for name in ("active", "currency", "product", "type") if name in params}
    recurring, keys = params.get("recurring", {}), params.get("lookup_keys")

    def keep(price: Obj) -> bool:
        fits = all(price[name] == value for name, value in wanted.items())
        return fits and recurring.items() <= price["recurring"].items() and (not keys or price["lookup_key"] in keys)

    return page(account, "/v1/prices", "price", params, keep)


def usable_price(account: Account, name: Any, param: str) -> Obj:
    """The active price of that id; a `RequestError` if there is none."""
    price = account.get("price", name, param, 400)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", None, param)
    return price


def period_end(anchor: int, price: Obj, after: int) -> int:
    """The end of the period that ``after`` lies in, when periods began at ``anchor``: the same day of the month."""
    rhythm = price["recurring"]
    count = 0
    while True:
        count += rhythm["interval_count"]
        if (end := _later(anchor, rhythm["interval"], count)) > after:
            return end


def _later(anchor: int, interval: str, count: int) -> int:
    if interval in _DAYS:
        return anchor + _DAY_SECONDS * _DAYS[interval] * count
    begun = datetime.fromtimestamp(anchor, UTC)
    month = begun.month - 1 + _MONTHS[interval] * count
    for day in range(begun.day, 0, -1):
        try:
            return int(begun.replace(year=begun.year + month // 12, month=month % 12 + 1, day=day).timestamp())
        except ValueError:
            continue
    raise AssertionError


def read_account(account: Account, _params: Parameters) -> Obj:
    """``GET /v1/account``."""
    dashboard = {"display_name": "Stand-in", "timezone": "Etc/UTC"}
    return {
        "id": "acct_standin",
        "object": "account",
        "charges_enabled": True,
        "country": "DE",
        "created": min((one["created"] for one in account.of("product").values()), default=account.now()),
        "default_currency": "eur",
        "details_submitted": True,
        "email": None,
        "livemode": False,
        "payouts_enabled": True,
        "settings": {"dashboard": dashboard},
        "type": "standard",
    }
