"""Threads made on demand, for requests. They die with the process: a stream that nobody ends must not keep it alive."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[], None]


class _Idle:
    """A thread without work."""

    __slots__ = ("act", "wakes")

    def __init__(self) -> None:
        self.wakes = threading.Lock()
        self.wakes.acquire()
        self.act: Act | None = None


class Threads:
    """At most ``most``. The one that was busy last works next, and what finds all at work waits for the first."""

    def __init__(self, most: int) -> None:
        self._most, self._made = most, 0
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []
        self._waiting: deque[Act] = deque()

    def start(self, act: Act) -> None:
        """Do it soon, in one of them. ``act`` raises nothing."""
        with self._lock:
            if self._idle:
                idle = self._idle.pop()
                idle.act = act
                idle.wakes.release()
                return
            if self._made >= self._most:
                self._waiting.append(act)
                return
            self._made += 1
        threading.Thread(target=self._work, args=(act,), daemon=True, name="pigi-request").start()

    def _work(self, act: Act) -> None:
        idle = _Idle()
        while True:
            act()
            with self._lock:
                if self._waiting:
                    act = self._waiting.popleft()
                    continue
                self._idle.append(idle)
            idle.wakes.acquire()
            act, idle.act = idle.act, None  # type: ignore[assignment]  # set before it was woken
