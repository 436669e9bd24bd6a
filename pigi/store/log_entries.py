"""What is noted in the three logs, and by whom: lines without content, put into this process's logbook.

A line holds identifiers, a route's template, a status, an exception's class, places in the code. It holds no body,
query, path, address, user agent or message: P04. Until a process opens its logbook, nothing is noted.
"""

from __future__ import annotations

import atexit
import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pigi.clock import now
from pigi.logs import place_of, places_of
from pigi.store.ledgers import ErrorLog, RequestLog, UsageSignal
from pigi.store.logbook import Line, Logbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REQUEST: Any = RequestLog.__table__
ERROR: Any = ErrorLog.__table__
USAGE: Any = UsageSignal.__table__
LINE = 120
"""Characters of a place or a class; routes and names of classes are shorter."""


class _Book:
    """This process's logbook, once it is open, and the process's name."""

    logbook: Logbook | None = None
    process = ""


def open_logbook(database_url: str, process: str) -> Logbook:
    """Note from now on, also every error that anything in this process logs; safe to repeat.

    ``process`` is web, worker or beat. Call it after `pigi.logs.configure_logging`.
    """
    use(Logbook(database_url, lambda count: error_line(__name__, "LinesDropped", [str(count)])), process)
    root = logging.getLogger()
    if not any(isinstance(handler, _Errors) for handler in root.handlers):
        root.addHandler(_Errors(logging.ERROR))
    return _Book.logbook  # type: ignore[return-value]  # just set


def use(logbook: Logbook | None, process: str = "") -> None:
    """Note in this logbook from now on, or nowhere."""
    _Book.logbook, _Book.process = logbook, process


def put(line: Line) -> None:
    """Note a line; returns at once."""
    if _Book.logbook is not None:
        _Book.logbook.put(line)


def request_line(  # noqa: PLR0913 - a line's facts, each named at the call
    *, request_id: str, method: str, route: str, status: int, ms: float, organisation_id: str | None, job_id: str | None
) -> Line:
    """A request that was answered; ``ms`` is its duration in milliseconds."""
    facts = {"request_id": request_id, "method": method, "route": route[:LINE], "status": status, "ms": round(ms, 2)}
    return Line(REQUEST, {"at": now(), **facts, "organisation_id": organisation_id, "job_id": job_id})


def error_line(
    place: str, error: str, frames: Sequence[str], *, request_id: str | None = None, job_id: str | None = None
) -> Line:
    """Something that went wrong: where, an exception's class, and the places in the code that it passed through."""
    facts = {"process": _Book.process, "request_id": request_id, "job_id": job_id}
    words = {"place": place[:LINE], "error": error[:LINE], "frames": "\n".join(frames)}
    return Line(ERROR, {"at": now(), **facts, **words})


def failure_line(place: str, error: BaseException, *, request_id: str | None = None, job_id: str | None = None) -> Line:
    """`error_line` of an exception; its words and values, which may quote content, stay where they are."""
    return error_line(place, type(error).__name__, places_of(error), request_id=request_id, job_id=job_id)


def told(line: Line) -> Line:
    """The same line of the error log, to be told on standard error as well."""
    facts = line.values
    about = " ".join(f"{name}={facts[name]}" for name in ("request_id", "job_id") if facts[name])
    frames = " < ".join(reversed(facts["frames"].splitlines()))
    return replace(line, words=f"{facts['place']}: {facts['error']} at {frames} {about}".rstrip())


def usage_line(event: str, organisation_id: str) -> Line:
    """That a feature was used; nothing tells by whom."""
    return Line(USAGE, {"at": now(), "event": event, "organisation_id": organisation_id})


class _Errors(logging.Handler):
    """Takes what is logged as an error into the error log: by which logger and where, never its message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note it, unless whoever logged it has."""
        if getattr(record, "noted", False):
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            put(failure_line(record.name, error))
        else:
            put(error_line(record.name, record.levelname, [place_of(record)]))


@atexit.register
def _close() -> None:
    if _Book.logbook is not None:
        _Book.logbook.close()


def _at_fork(act: Callable[[Logbook], None]) -> Callable[[], None]:
    def do() -> None:
        if _Book.logbook is not None:
            act(_Book.logbook)

    return do


os.register_at_fork(
    before=_at_fork(Logbook.before_fork),
    after_in_parent=_at_fork(Logbook.after_fork),
    after_in_child=_at_fork(Logbook.start_over),
)
