"""One thread a process that notices when watched jobs change, so that a hundred waiters cost one query.

The thread starts with the first watch, after the server has forked, and sleeps while nothing is watched.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

EVERY_SECONDS = 0.1
"""Between two looks at the database."""
AFTER_TROUBLE_SECONDS = 1.0
"""Before looking again when the database did not answer."""


class Watch:
    """One waiter's eye on one job; use it as a context manager, or the job stays watched."""

    def __init__(self, watcher: Watcher, job_id: str, revision: int) -> None:
        self._watcher = watcher
        self.job_id = job_id
        self.seen = revision
        self.stirred = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether the job's revision differs from ``seen`` within so many seconds."""
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


class Watcher:
    """Polls the revisions of all watched jobs at once.

    ``look`` gives (revision, state) for each id that still has a row; an id without one stirs its watches.
    """

    def __init__(self, look: Callable[[Collection[str]], Mapping[str, tuple[int, str]]]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self._some = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, job_id: str, revision: int) -> Watch:
        """An eye on a job that was last seen at ``revision``."""
        return Watch(self, job_id, revision)

    @property
    def watched(self) -> int:
        """How many jobs are being watched."""
        return len(self._watches)

    def add(self, watch: Watch) -> None:
        """Begin to look at the watch's job."""
        with self._lock:
            self._watches[watch.job_id].add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pigi-watcher", daemon=True)
                self._thread.start()
        self._some.set()

    def remove(self, watch: Watch) -> None:
        """Stop looking for this watch."""
        with self._lock:
            watches = self._watches[watch.job_id]
            watches.discard(watch)
            if not watches:
                del self._watches[watch.job_id]
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
                pause = EVERY_SECONDS
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed, and waiters have time limits
                pause = AFTER_TROUBLE_SECONDS
            self._closed.wait(pause)

    def _look_once(self) -> None:
        with self._lock:
            ids = list(self._watches)
        if not ids:
            return
        found = self._look(ids)
        with self._lock:
            for job_id in ids:
                revision = found[job_id][0] if job_id in found else None
                for watch in self._watches.get(job_id, ()):
                    if watch.seen != revision:
                        watch.stirred.set()
