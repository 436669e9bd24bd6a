"""What the account holds: its objects as the API shows them, its clock and its settings, in memory and in a file.

Fields whose names begin with ``_`` are the stand-in's own and are never shown.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import string
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from standins.stripe.errors import no_such

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Obj = dict[str, Any]

VERSION: Final = "2026-10-28.endive"
"""The one version of Stripe's API that is spoken: that of stripe-python 16.1."""

SETTINGS: Final[dict[str, Any]] = {
    "mails_receipts": True,
    "retries_payments": True,
    "after_last_retry": "unpaid",
    "deliveries_paused": False,
    "rights": {},
}
"""An account's own switches; ``after_last_retry`` is ``unpaid``, ``canceled`` or ``past_due``.

``rights`` are those of restricted keys, by resource (`standins.stripe.keys.RIGHTS`); what is not named they may write.
"""

_LETTERS: Final = string.ascii_letters + string.digits
_KEPT: Final = ("tables", "settings", "mails", "offset", "stored")


def new_id(prefix: str, length: int = 24) -> str:
    """An id that nobody can guess."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(length))}"


def shown(obj: Obj) -> Obj:
    """A copy of ``obj`` as the API shows it; of one that was deleted, only that it was."""
    if "_deleted" in obj:
        return {"id": obj["id"], "object": obj["object"], "deleted": True}
    return {name: copy.deepcopy(value) for name, value in obj.items() if not name.startswith("_")}


class Account:
    """All of it. Whoever reads or changes it holds ``lock``. ``base`` is where people reach the pages.

    Each change is told to ``listeners`` with the event's type, the object and the attributes' former values.
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
