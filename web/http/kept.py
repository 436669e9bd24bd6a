"""What anybody may see and is the same for all, kept for some seconds, so that many visitors cost as much as one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class Kept:
    """Values by name, made anew when they are too old. Who comes while one is made makes another: nobody waits."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, Any]] = {}

    def get(self, name: str, seconds: float, make: Callable[[], Value]) -> Value:
        """The value of that name, at most ``seconds`` old."""
        at, value = self._values.get(name, (float("-inf"), None))
        if time.monotonic() - at <= seconds:
            kept: Value = value
            return kept
        made = make()
        self._values[name] = (time.monotonic(), made)
        return made
