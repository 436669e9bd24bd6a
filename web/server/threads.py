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
        idle = _Idle()
        idle.act = act
        idle.wakes.release()
        threading.Thread(target=self._work, args=(idle,), daemon=True, name="pigi-request").start()

    def _work(self, idle: _Idle) -> None:
        while True:
            idle.wakes.acquire()
            act, idle.act = idle.act, None
            while act is not None:
                act()
                # Let go of it, or an idle thread keeps a request with its body in memory for as long as it idles.
                act = None
                with self._lock:
                    if self._waiting:
                        act = self._waiting.popleft()
                    else:
                        self._idle.append(idle)
