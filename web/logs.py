"""One JSON line a request, written beside the requests rather than in them.

A line holds identifiers, a route's template, a status and a duration: no body, no query, no address, no path
(promise P04). Requests only append to a list; one thread renders with structlog and writes. When it
cannot keep up, lines are dropped and counted. Nothing here ever raises into a request.
"""

from __future__ import annotations

import atexit
import json
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from web.call import Facts

EVERY_SECONDS = 0.1
MOST_LINES = 10_000
MOST_FRAMES = 8
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_RENDER = structlog.processors.JSONRenderer(lambda event, **_options: _ENCODE(event))


class Log:
    """A bounded list of events and the thread that writes them, which starts with the first event."""

    def __init__(self, stream: TextIO | None = None, most: int = MOST_LINES) -> None:
        self._events: deque[dict[str, Any]] = deque()
        self._most = most
        self._dropped = 0
        self._stream = stream
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, event: dict[str, Any]) -> None:
        """Take an event; returns at once."""
        if len(self._events) >= self._most:
            self._dropped += 1
            return
        self._events.append(event)
        if self._thread is None:
            self._start()

    def flush(self) -> None:
        """Write what there is; an unwritable stream loses it."""
        with self._writing:
            lines = [self._render(self._events.popleft()) for _ in range(len(self._events))]
            dropped, self._dropped = self._dropped, 0
            if dropped:
                lines.append(self._render({"event": "log_lines_dropped", "level": "warning", "count": dropped}))
            if lines:
                self._write("".join(lines))

    def _start(self) -> None:
        with self._writing:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pigi-log", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(EVERY_SECONDS)
            self.flush()

    def _render(self, event: dict[str, Any]) -> str:
        moment = event.pop("timestamp", None) or datetime.now(UTC)
        body = {name: value for name, value in event.items() if value is not None}
        return str(_RENDER(None, "", {**body, "timestamp": moment.isoformat()})) + "\n"

    def _write(self, text: str) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            self._dropped += 1


_LOG = Log()


def use(log: Log) -> None:
    """Write to another log from now on."""
    global _LOG  # noqa: PLW0603 - one log a process, replaced in tests
    _LOG = log


def request_done(facts: Facts, method: str, milliseconds: float) -> None:
    """The line of an answered request; for a stream, when it began."""
    _LOG.put(
        {
            "timestamp": datetime.now(UTC),
            "event": "request",
            "level": "info",
            "request_id": facts.request_id,
            "method": method if method in METHODS else "other",
            "route": facts.route,
            "status": facts.status,
            "ms": round(milliseconds, 2),
            "organisation_id": facts.organisation_id,
            "job_id": facts.job_id,
            "error": facts.error,
        }
    )


def failure(facts: Facts, error: BaseException) -> None:
    """The line of an exception: its class and the places in the code, never its words or values."""
    facts.error = type(error).__name__
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    _LOG.put(
        {
            "timestamp": datetime.now(UTC),
            "event": "request_failed",
            "level": "error",
            "request_id": facts.request_id,
            "route": facts.route,
            "error": facts.error,
            "at": frames[-MOST_FRAMES:],
        }
    )
