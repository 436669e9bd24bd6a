"""Turns at dear work, shared out by network: whoever asks for much waits for their own, and costs nobody else theirs.

A request first takes a *place*, of which a network has a few at most; within it a *turn* for each stretch of work. A
turn that comes free goes to the network that is at work least. When all places are taken, one that somebody waits in
whose network has several is given to a network that has fewer. So nobody has to wait for a network but their own for
longer than one stretch takes, and however many ask, few wait: the others are told to come again at once.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pigi.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_SECONDS = 2


class _Place:
    """A request's place; ``lost`` once it was given to another network, while the request waited for a turn."""

    def __init__(self, network: str) -> None:
        self.network = network
        self.called = threading.Event()
        self.lost = False


class Turns:
    """``places`` for requests, ``share`` of them for one network, and ``at_once`` of those at work."""

    def __init__(self, places: int, share: int, at_once: int) -> None:
        self.places, self.share, self.at_once = places, share, at_once
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._working: Counter[str] = Counter()
        self._waiting: list[_Place] = []
        self._mine = threading.local()

    @contextmanager
    def place(self, network: str) -> Iterator[None]:
        """A place for the block; never waits. Raises Refused ``unavailable`` if there is none for this network."""
        own = _Place(network)
        with self._lock:
            if self._held[network] >= self.share or not self._has_room(network):
                raise Refused("unavailable", retry_after=RETRY_SECONDS)
            self._held[network] += 1
        self._mine.place = own
        try:
            yield
        finally:
            self._mine.place = None
            with self._lock:
                if not own.lost:
                    _leave(self._held, network)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn for the block, waited for. Raises Refused ``unavailable`` if the place went to another network."""
        own = getattr(self._mine, "place", None) or _Place("")
        self._wait_for_turn(own)
        try:
            yield
        finally:
            with self._lock:
                _leave(self._working, own.network)
                self._call_next()

    def _wait_for_turn(self, own: _Place) -> None:
        with self._lock:
            own.called.clear()
            if self._working.total() < self.at_once:
                self._working[own.network] += 1
                return
            self._waiting.append(own)
        own.called.wait()
        if own.lost:
            raise Refused("unavailable", retry_after=RETRY_SECONDS)

    def _has_room(self, network: str) -> bool:
        """Whether there is a place, if need be one of the network that has most and will still have as many."""
        if self._held.total() < self.places:
            return True
        most = max((self._held[one.network] for one in self._waiting), default=0)
        if most < self._held[network] + 2:
            return False
        last = [one for one in self._waiting if self._held[one.network] == most][-1]
        last.lost = True
        self._waiting.remove(last)
        _leave(self._held, last.network)
        last.called.set()
        return True

    def _call_next(self) -> None:
        """Whoever waits longest, of those whose network is at work least."""
        if self._waiting:
            chosen = min(self._waiting, key=lambda one: self._working[one.network])
            self._waiting.remove(chosen)
            self._working[chosen.network] += 1
            chosen.called.set()


def _leave(count: Counter[str], network: str) -> None:
    count[network] -= 1
    if not count[network]:
        del count[network]
