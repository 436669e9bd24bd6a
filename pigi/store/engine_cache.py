"""Tenant engines, least recently used first out: ten thousand organisations never mean as many connections."""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from pigi.errors import Temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from pigi.store.sealing import Sealer

PATIENCE_SECONDS = 10.0


class TenantsBusyError(Temporary):
    """As many tenants as this process may hold open stayed in use for `PATIENCE_SECONDS`."""

    def __init__(self) -> None:
        super().__init__("tenants_busy")


@dataclass(frozen=True, eq=False, repr=False)
class OpenTenant:
    """What a process holds of an organisation while it works for it; ``quick`` shares the engine's pool."""

    engine: Engine
    quick: Engine
    sealer: Sealer
    file: str | None


class _Slot:
    """One place of the cap. ``tenant`` is None while it is being opened; ``leaving`` slots take no new users."""

    __slots__ = ("leaving", "tenant", "users")

    def __init__(self) -> None:
        self.tenant: OpenTenant | None = None
        self.users = 1
        self.leaving = False


class EngineCache:
    """At most ``cap`` open tenants; one in use is never closed. Safe for threads."""

    def __init__(self, cap: int, opener: Callable[[str], OpenTenant]) -> None:
        self.cap = cap
        self._opener = opener
        self._start_over()

    def _start_over(self) -> None:
        self._changed = Condition()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._leaving = 0

    def __len__(self) -> int:
        return len(self._slots) + self._leaving

    @contextmanager
    def use(self, organisation_id: str) -> Iterator[OpenTenant]:
        """The open tenant, kept open to the end of the block.

        Whoever holds one and asks for another occupies two places of the cap.

        Raises:
            TenantsBusyError: no place became free in time.
        """
        slot, idle = self._take(organisation_id)
        try:
            if idle is not None:
                idle.engine.dispose()
            yield slot.tenant or self._open(organisation_id, slot)
        finally:
            self._give_back(organisation_id, slot)

    def forget(self, organisation_id: str) -> None:
        """Close the tenant, as soon as nobody uses it; the next use opens it afresh."""
        with self._changed:
            slot = self._slots.pop(organisation_id, None)
            if slot is not None and slot.users:
                slot.leaving = True
                self._leaving += 1
            self._changed.notify_all()
        if slot is not None and slot.tenant is not None and not slot.leaving:
            slot.tenant.engine.dispose()

    def dispose(self, *, close: bool) -> None:
        """Forget everything; with ``close=False`` after a fork, where connections and locks are the parent's."""
        slots = list(self._slots.values())
        self._start_over()
        for slot in slots:
            if slot.tenant is not None:
                slot.tenant.engine.dispose(close=close)

    def _take(self, organisation_id: str) -> tuple[_Slot, OpenTenant | None]:
        """A place, and the idle tenant that made room for it, which the caller closes before opening."""
        until = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while True:
                slot = self._slots.get(organisation_id)
                if slot is not None and slot.tenant is not None:
                    slot.users += 1
                    self._slots.move_to_end(organisation_id)
                    return slot, None
                full = len(self) >= self.cap
                idle = next((key for key, other in self._slots.items() if not other.users), None) if full else None
                if slot is None and (idle is not None or not full):
                    slot = self._slots[organisation_id] = _Slot()
                    return slot, self._slots.pop(idle).tenant if idle is not None else None
                if not self._changed.wait(until - time.monotonic()):
                    raise TenantsBusyError

    def _open(self, organisation_id: str, slot: _Slot) -> OpenTenant:
        tenant = self._opener(organisation_id)
        with self._changed:
            slot.tenant = tenant
            self._changed.notify_all()
        return tenant

    def _give_back(self, organisation_id: str, slot: _Slot) -> None:
        with self._changed:
            slot.users -= 1
            if slot.users:
                return
            if slot.tenant is None and self._slots.get(organisation_id) is slot:
                del self._slots[organisation_id]
            self._leaving -= slot.leaving
            self._changed.notify_all()
        if slot.leaving and slot.tenant is not None:
            slot.tenant.engine.dispose()
