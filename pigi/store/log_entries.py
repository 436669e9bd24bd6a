"""Entries of the three logs, without content, put into this process's logbook.

An entry holds identifiers, a route's template, a status, an exception's class, places in the code. It holds no body,
query, path, address, user agent or message: P04. Until a process opens its logbook, nothing is logged.
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
from pigi.store.logbook import Logbook, LogEntry

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
    """Log from now on, also every error that anything in this process logs; safe to repeat.

    ``process`` is web, worker or beat. Call it after `pigi.logs.configure_logging`.
    """
    use(Logbook(database_url, lambda count: error_entry(__name__, "LinesDropped", [str(count)])), process)
    root = logging.getLogger()
    if not any(isinstance(handler, _Errors) for handler in root.handlers):
        root.addHandler(_Errors(logging.ERROR))
    return _Book.logbook  # type: ignore[return-value]  # just set


def use(logbook: Logbook | None, process: str = "") -> None:
    """Log to this logbook from now on, or nowhere."""
    _Book.logbook, _Book.process = logbook, process


def put(entry: LogEntry) -> None:
    """Log an entry; returns at once."""
    if _Book.logbook is not None:
        _Book.logbook.put(entry)


def request_entry(  # noqa: PLR0913 - an entry's facts, each named at the call
    *, request_id: str, method: str, route: str, status: int, ms: float, organisation_id: str | None, job_id: str | None
) -> LogEntry:
    """A request that was answered; ``ms`` is its duration in milliseconds."""
    facts = {"request_id": request_id, "method": method, "route": route[:LINE], "status": status, "ms": round(ms, 2)}
    return LogEntry(REQUEST, {"at": now(), **facts, "organisation_id": organisation_id, "job_id": job_id})


def error_entry(
    place: str, error: str, frames: Sequence[str], *, request_id: str | None = None, job_id: str | None = None
) -> LogEntry:
    """Something that went wrong: where, an exception's class, and the places in the code that it passed through."""
    facts = {"process": _Book.process, "request_id": request_id, "job_id": job_id}
    words = {"place": place[:LINE], "error": error[:LINE], "frames": "\n".join(frames)}
    return LogEntry(ERROR, {"at": now(), **facts, **words})


def failure_entry(
    place: str, error: BaseException, *, request_id: str | None = None, job_id: str | None = None
) -> LogEntry:
    """`error_entry` of an exception; its words and values, which may quote content, stay where they are."""
    return error_entry(place, type(error).__name__, places_of(error), request_id=request_id, job_id=job_id)


def on_stderr(entry: LogEntry) -> LogEntry:
    """The same entry of the error log, to be written to standard error as well."""
    facts = entry.values
    about = " ".join(f"{name}={facts[name]}" for name in ("request_id", "job_id") if facts[name])
    frames = " < ".join(reversed(facts["frames"].splitlines()))
    return replace(entry, words=f"{facts['place']}: {facts['error']} at {frames} {about}".rstrip())


def usage_entry(event: str, organisation_id: str) -> LogEntry:
    """That a feature was used; not by whom."""
    return LogEntry(USAGE, {"at": now(), "event": event, "organisation_id": organisation_id})


class _Errors(logging.Handler):
    """Takes what is logged as an error into the error log: by which logger and where, never its message."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it, unless whoever logged it has."""
        if getattr(record, "noted", False):
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            put(failure_entry(record.name, error))
        else:
            put(error_entry(record.name, record.levelname, [place_of(record)]))


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
