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

CHECKOUT_SECONDS = 10.0
"""How long a request waits for a place among the open tenants before it is refused as ``tenants_busy``."""
IDLE_SECONDS = 300.0
"""A tenant that nobody used for so long is let go of when another is opened, so that nobody holds a deleted one's
file and key for good."""


class TenantsBusyError(Temporary):
    """As many tenants as this process may hold open stayed in use for `CHECKOUT_SECONDS`."""

    def __init__(self) -> None:
        super().__init__("tenants_busy")


@dataclass(frozen=True, eq=False, repr=False)
class OpenTenant:
    """What a process holds of an organisation while it works for it; ``autocommit`` shares the engine's pool."""

    engine: Engine
    autocommit: Engine
    sealer: Sealer
    file: str | None


class _Slot:
    """One place of the cap. ``tenant`` is None while it is being opened; ``leaving`` slots take no new users."""

    __slots__ = ("leaving", "tenant", "used_at", "users")

    def __init__(self) -> None:
        self.tenant: OpenTenant | None = None
        self.users = 1
        self.used_at = 0.0
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
        self._looked_at = time.monotonic()

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
            for tenant in idle:
                tenant.engine.dispose()
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

    def _take(self, organisation_id: str) -> tuple[_Slot, list[OpenTenant]]:
        """A place, and the idle tenants that made room for it or were idle for long, which the caller closes."""
        until = time.monotonic() + CHECKOUT_SECONDS
        with self._changed:
            while True:
                slot = self._slots.get(organisation_id)
                if slot is not None and slot.tenant is not None:
                    slot.users += 1
                    self._slots.move_to_end(organisation_id)
                    return slot, self._long_idle()
                full = len(self) >= self.cap
                idle = next((key for key, other in self._slots.items() if not other.users), None) if full else None
                if slot is None and (idle is not None or not full):
                    slot = self._slots[organisation_id] = _Slot()
                    return slot, self._pop([] if idle is None else [idle]) + self._long_idle()
                if not self._changed.wait(until - time.monotonic()):
                    raise TenantsBusyError

    def _long_idle(self) -> list[OpenTenant]:
        now = time.monotonic()
        if now - self._looked_at < IDLE_SECONDS:
            return []
        self._looked_at = now
        idle = [key for key, slot in self._slots.items() if not slot.users and now - slot.used_at >= IDLE_SECONDS]
        return self._pop(idle)

    def _pop(self, organisation_ids: list[str]) -> list[OpenTenant]:
        slots = [self._slots.pop(one) for one in organisation_ids]
        return [slot.tenant for slot in slots if slot.tenant is not None]

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
            slot.used_at = time.monotonic()
            if slot.tenant is None and self._slots.get(organisation_id) is slot:
                del self._slots[organisation_id]
            self._leaving -= slot.leaving
            self._changed.notify_all()
        if slot.leaving and slot.tenant is not None:
            slot.tenant.engine.dispose()
