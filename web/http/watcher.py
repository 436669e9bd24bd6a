"""One thread a process that notices when what is watched changes, so that a hundred waiters cost one query.

Jobs are watched so, and the rights of those who follow them. The thread starts with the first watch, after the
server has forked, and sleeps while nothing is watched.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

Thing = TypeVar("Thing", bound=Hashable)

EVERY_SECONDS = 0.1
"""Between two looks at the database."""
AFTER_TROUBLE_SECONDS = 1.0
"""Before looking again when the database did not answer."""


class Watch(Generic[Thing]):
    """One waiter's eye on one thing; use it as a context manager, or the thing stays watched.

    ``looked_at`` is when it was last seen, as `time.monotonic` has it.
    """

    def __init__(self, watcher: Watcher[Thing], thing: Thing, revision: int) -> None:
        self._watcher = watcher
        self.thing = thing
        self.seen = revision
        self.stirred = threading.Event()
        self.looked_at = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Whether the thing's revision differs from ``seen`` within so many seconds."""
        return self.stirred.wait(seconds)

    def catch_up(self, revision: int) -> None:
        """From now on only revisions other than this one stir."""
        self.seen = revision
        self.stirred.clear()

    def __enter__(self) -> Self:
        self._watcher.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watcher.remove(self)


class Watcher(Generic[Thing]):
    """Polls the revisions of all that is watched at once, ``every`` so many seconds.

    ``look`` gives (revision, state) for each thing that is still there; one that is not stirs its watches.
    """

    def __init__(
        self,
        look: Callable[[Collection[Thing]], Mapping[Thing, tuple[int, str]]],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._look = look
        self._every = every
        self._lock = threading.Lock()
        self._watches: defaultdict[Thing, set[Watch[Thing]]] = defaultdict(set)
        self._some = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, thing: Thing, revision: int) -> Watch[Thing]:
        """An eye on something that was last seen at ``revision``."""
        return Watch(self, thing, revision)

    @property
    def watched(self) -> int:
        """How many things are being watched."""
        return len(self._watches)

    def add(self, watch: Watch[Thing]) -> None:
        """Begin to look at the watch's thing."""
        with self._lock:
            self._watches[watch.thing].add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pigi-watcher", daemon=True)
                self._thread.start()
        self._some.set()

    def remove(self, watch: Watch[Thing]) -> None:
        """Stop looking for this watch."""
        with self._lock:
            watches = self._watches[watch.thing]
            watches.discard(watch)
            if not watches:
                del self._watches[watch.thing]
            if not self._watches:
                self._some.clear()

    def close(self) -> None:
        """End the thread; waiters are left to their own time limits."""
        self._closed.set()
        self._some.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._some.wait()
            try:
                self._look_once()
                pause = self._every
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed, and waiters have time limits
                pause = AFTER_TROUBLE_SECONDS
            self._closed.wait(pause)

    def _look_once(self) -> None:
        with self._lock:
            things = list(self._watches)
        if not things:
            return
        moment = time.monotonic()
        found = self._look(things)
        with self._lock:
            for thing in things:
                revision = found[thing][0] if thing in found else None
                for watch in self._watches.get(thing, ()):
                    watch.looked_at = max(watch.looked_at, moment)
                    if watch.seen != revision:
                        watch.stirred.set()
