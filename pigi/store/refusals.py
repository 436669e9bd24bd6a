"""Refusals that a process remembers for a moment, so that whoever is refused again costs no database anything."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

REMEMBERED: Final = 1.0
"""Seconds. Another process may free what was refused meanwhile, as a new password does: nobody should wait long."""
MOST: Final = 10_000
"""Keys, of about 150 bytes each."""


class Refusals:
    """Since when, and until when, a key is refused; moments are in seconds since 1970."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, float]] = {}

    def until(self, key: str, moment: float) -> float:
        """Until when the key is refused, as far as is remembered at ``moment``; 0 if nothing is."""
        noted, until = self._known.get(key, (0.0, 0.0))
        return until if noted <= moment < min(until, noted + REMEMBERED) else 0.0

    def note(self, key: str, moment: float, until: float) -> None:
        """Remember that the key was found refused at ``moment``; the oldest is forgotten where there are too many."""
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = (moment, until)
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]

    def forget(self, keys: Iterable[str]) -> None:
        """Forget what was freed."""
        with self._lock:
            for key in keys:
                self._known.pop(key, None)
