"""The account: its objects, its clock and its settings, in memory and in a file, and how they are read.

Objects are kept as the API shows them; fields whose names begin with ``_`` are the stand-in's own and are never shown.
They are read one by one, in pages of a list, by search, and expanded in place of their ids. Source: Stripe's API
reference, "Pagination", "Search" and "Expanding responses".
"""

from __future__ import annotations

import copy
import json
import os
import re
import secrets
import string
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.requests import invalid, no_such

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from standins.stripe.requests import Parameters

Obj = dict[str, Any]

VERSION: Final = "2026-10-28.endive"
"""The one version of Stripe's API that is spoken: that of stripe-python 16.1."""

SETTINGS: Final[dict[str, Any]] = {
    "mails_receipts": True,
    "retries_payments": True,
    "after_last_retry": "unpaid",
    "deliveries_paused": False,
    "rights": {},
    "refused_keys": [],
}
"""An account's own switches; ``after_last_retry`` is ``unpaid``, ``canceled`` or ``past_due``.

``rights`` are those of restricted keys, by resource (`standins.stripe.api.RIGHTS`); what is not named they may write.
``refused_keys`` are keys that get a 401, as those that were ended.
"""

_LETTERS: Final = string.ascii_letters + string.digits
_KEPT: Final = ("tables", "settings", "mails", "offset", "stored")
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
# What an object holds only when it is expanded: the kind, and its field that names the object.
_INCLUDED: Final = {
    ("invoice", "payments"): ("invoice_payment", "invoice"),
    ("charge", "refunds"): ("refund", "charge"),
    ("customer", "subscriptions"): ("subscription", "customer"),
}


def new_id(prefix: str, length: int = 24) -> str:
    """An id that nobody can guess."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(length))}"


def shown(obj: Obj) -> Obj:
    """A copy of ``obj`` as the API shows it; of one that was deleted, only that it was."""
    if "_deleted" in obj:
        return {"id": obj["id"], "object": obj["object"], "deleted": True}
    return {name: copy.deepcopy(value) for name, value in obj.items() if not name.startswith("_")}


class Account:
    """The account. A thread that reads or changes it holds ``lock``. ``base`` is where people reach the pages.

    Each change is passed to ``listeners`` with the event's type, the object and the attributes' former values.
    """

    def __init__(self, base: str, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.base = base
        self.tables: dict[str, dict[str, Obj]] = {}
        self.settings = dict(SETTINGS)
        self.mails: list[Obj] = []
        self.offset = 0.0
        self.stored: dict[str, Obj] = {}  # answers by idempotency key
        self.request: Obj = {"id": None, "idempotency_key": None}
        self.listeners: list[Callable[[str, Obj, Obj | None], None]] = []
        self.told = threading.Event()  # that there are events to deliver
        self._path = path
        self._moment: int | None = None
        if path is not None and path.exists():
            self._load(path.read_text())

    def _load(self, text: str) -> None:
        """Take on what a file holds. Pages may have another address now, and what was at work has ended."""
        before = json.loads(text)["base"]
        kept = json.loads(text.replace(f'"{before}/', f'"{self.base}/'))
        self.__dict__.update({name: kept[name] for name in _KEPT})
        self.settings = SETTINGS | self.settings
        self.stored = {key: one for key, one in self.stored.items() if one["answer"] is not None}

    def now(self) -> int:
        """The account's clock, in whole seconds since 1970."""
        return int(time.time() + self.offset) if self._moment is None else self._moment

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Make up for what was due at ``moment``, as if it were then."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    def of(self, kind: str) -> dict[str, Obj]:
        """The objects of a kind by id, the oldest first."""
        return self.tables.setdefault(kind, {})

    def add(self, obj: Obj) -> Obj:
        """Keep a new object."""
        return self.of(obj["object"]).setdefault(obj["id"], obj)

    def get(self, kind: str, name: str | None, param: str = "id", status: int = 404) -> Obj:
        """The object of that id; a `RequestError` if there is none, or it was deleted."""
        found = self.of(kind).get(name or "")
        if found is None or "_deleted" in found:
            raise no_such(kind, name, param, status)
        return found

    def find(self, name: str) -> Obj | None:
        """The object of that id, of whatever kind."""
        return next((table[name] for table in self.tables.values() if name in table), None)

    def tell(self, event: str, obj: Obj, previous: Obj | None = None) -> None:
        """Make an event of ``obj``."""
        for listener in self.listeners:
            listener(event, obj, previous)

    def change(self, obj: Obj, event: str, **changes: Any) -> Obj:
        """Set fields of ``obj``, and make an event if one of them is new."""
        previous = {name: copy.deepcopy(obj.get(name)) for name, value in changes.items() if obj.get(name) != value}
        obj.update(changes)
        if previous:
            self.tell(event, obj, {name: value for name, value in previous.items() if not name.startswith("_")})
        return obj

    def save(self) -> None:
        """Write everything to the file, if there is one: aside, then renamed, readable by its owner alone."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.new")
        aside.unlink(missing_ok=True)  # a crash may have left one
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"base": self.base} | {name: getattr(self, name) for name in _KEPT}, file)
        aside.replace(self._path)


def merged(current: dict[str, str], given: dict[str, str | None] | None) -> dict[str, str]:
    """Metadata after an update: an empty value takes a key away, an empty whole takes all."""
    if given is None:
        return {}
    both = {**current, **given}
    return {key: value for key, value in both.items() if value}


def within(value: int, bounds: Any) -> bool:
    """Whether ``value`` is within the bounds of a range parameter; without bounds everything is."""
    if bounds is None:
        return True
    if isinstance(bounds, int):
        return value == bounds
    return all(_BOUNDS[name](value, bound) for name, bound in bounds.items())


def page(account: Account, url: str, kind: str, params: Parameters, keep: Callable[[Obj], bool]) -> Obj:
    """A page of the objects for which ``keep`` holds, the newest first."""
    limit = params.get("limit", _USUAL)
    if not 1 <= limit <= _MOST:
        raise invalid(f"This value must be between 1 and {_MOST}.", "parameter_invalid_integer", "limit")
    everything = list(account.of(kind).values())[::-1]
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("You can use either ending_before or starting_after, not both.", None, "starting_after")
    if after:
        everything = everything[_place(everything, kind, after, "starting_after") + 1 :]
    if before:
        everything = everything[: _place(everything, kind, before, "ending_before")]
    found = [obj for obj in everything if "_deleted" not in obj and _fits(obj, params) and keep(obj)]
    data = found[-limit:] if before else found[:limit]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": [shown(obj) for obj in data]}


def _place(objects: list[Obj], kind: str, name: str, param: str) -> int:
    for place, obj in enumerate(objects):
        if obj["id"] == name:
            return place
    raise no_such(kind, name, param, 400)


def _fits(obj: Obj, params: Parameters) -> bool:
    return within(obj.get("created", 0), params.get("created"))


def search_customers(account: Account, params: Parameters) -> Obj:
    """Customers by metadata, e-mail or name; those made or changed within the last minute are not in the index yet."""
    clauses = list(_CLAUSE.finditer(params["query"]))
    if not clauses or re.sub(r"\s+AND\s+|\s", "", _CLAUSE.sub("", params["query"])):
        raise invalid("We were unable to parse your search query.", None, "query")
    limit, indexed = params.get("limit", _USUAL), account.now() - INDEX_LAG
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
