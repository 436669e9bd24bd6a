"""Lists, searches and expansion. Source: Stripe's API reference, "Pagination", "Expanding responses", "Search"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.account import shown
from standins.stripe.errors import invalid, no_such

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from standins.stripe.account import Account, Obj
    from standins.stripe.parameters import Parameters

PAGING: Final = "limit:int starting_after ending_before expand.#"
_MOST: Final = 100
_USUAL: Final = 10
_CLAUSE: Final = re.compile(r"""(?:metadata\[['"](?P<key>[^'"]+)['"]\]|(?P<field>\w+)):['"](?P<value>[^'"]*)['"]""")
INDEX_LAG: Final = 60
"""Seconds: "data is searchable in less than a minute" under normal operating conditions."""

_BOUNDS: Final[dict[str, Callable[[int, int], bool]]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}
# What an object holds only when it is asked for: of which kind, whose field names it.
_INCLUDED: Final = {
    ("invoice", "payments"): ("invoice_payment", "invoice"),
    ("charge", "refunds"): ("refund", "charge"),
    ("customer", "subscriptions"): ("subscription", "customer"),
}


def within(value: int, bounds: Any) -> bool:
    """Whether ``value`` is what a range parameter asks for; anything is for None."""
    if bounds is None:
        return True
    if isinstance(bounds, int):
        return value == bounds
    return all(_BOUNDS[name](value, bound) for name, bound in bounds.items())


def page(account: Account, url: str, kind: str, asked: Parameters, keep: Callable[[Obj], bool]) -> Obj:
    """A page of the objects for which ``keep`` holds, the newest first."""
    limit = asked.get("limit", _USUAL)
    if not 1 <= limit <= _MOST:
        raise invalid(f"This value must be between 1 and {_MOST}.", "parameter_invalid_integer", "limit")
    everything = list(account.of(kind).values())[::-1]
    after, before = asked.get("starting_after"), asked.get("ending_before")
    if after and before:
        raise invalid("You can use either ending_before or starting_after, not both.", None, "starting_after")
    if after:
        everything = everything[_place(everything, kind, after, "starting_after") + 1 :]
    if before:
        everything = everything[: _place(everything, kind, before, "ending_before")]
    found = [obj for obj in everything if "_deleted" not in obj and _fits(obj, asked) and keep(obj)]
    data = found[-limit:] if before else found[:limit]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": [shown(obj) for obj in data]}


def _place(objects: list[Obj], kind: str, name: str, param: str) -> int:
    for place, obj in enumerate(objects):
        if obj["id"] == name:
            return place
    raise no_such(kind, name, param, 400)


def _fits(obj: Obj, asked: Parameters) -> bool:
    return within(obj.get("created", 0), asked.get("created"))


def search_customers(account: Account, asked: Parameters) -> Obj:
    """Customers by metadata, e-mail or name; those made or changed within the last minute are not in the index yet."""
    clauses = list(_CLAUSE.finditer(asked["query"]))
    if not clauses or re.sub(r"\s+AND\s+|\s", "", _CLAUSE.sub("", asked["query"])):
        raise invalid("We were unable to parse your search query.", None, "query")
    limit, indexed = asked.get("limit", _USUAL), account.now() - INDEX_LAG
    found = [
        shown(obj)
        for obj in reversed(account.of("customer").values())
        if "_deleted" not in obj and obj["_changed"] <= indexed and all(_matches(obj, clause) for clause in clauses)
    ]
    told = {"object": "search_result", "url": "/v1/customers/search", "next_page": None}
    return {**told, "has_more": len(found) > limit, "data": found[:limit]}


def _matches(obj: Obj, clause: re.Match[str]) -> bool:
    value = obj["metadata"].get(clause["key"]) if clause["key"] else obj.get(clause["field"])
    return bool(value == clause["value"])


def expand(account: Account, answer: Obj, paths: Iterable[str]) -> Obj:
    """``answer``, a copy, with objects in place of the ids that ``paths`` name."""
    for path in paths:
        _expand(account, answer, path.split("."), path)
    return answer


def _expand(account: Account, place: Any, parts: list[str], path: str) -> None:
    if isinstance(place, list):
        for inner in place:
            _expand(account, inner, parts, path)
        return
    if not isinstance(place, dict) or not parts:
        return
    part, rest = parts[0], parts[1:]
    if part not in place:
        _include(account, place, part, path)
    value = place[part]
    if isinstance(value, str):
        found = account.find(value)
        place[part] = value = value if found is None else shown(found)
        if found is None and not rest:
            raise invalid(f"This property cannot be expanded ({path}).", None, "expand[0]")
    _expand(account, value, rest, path)


def _include(account: Account, place: Obj, part: str, path: str) -> None:
    kind, owner = _INCLUDED.get((place.get("object", ""), part), ("", ""))
    hidden = account.find(str(place.get("id"))) or {}
    if f"_{part}" in hidden:
        place[part] = hidden[f"_{part}"]
        return
    if not kind:
        raise invalid(f"This property cannot be expanded ({path}).", None, "expand[0]")
    data = [shown(obj) for obj in reversed(account.of(kind).values()) if obj[owner] == place["id"]]
    place[part] = {"object": "list", "url": f"/v1/{kind}s", "has_more": False, "data": data}
