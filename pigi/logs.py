"""Logging for every process: one JSON object a line on standard error, without content (promises P04, P15).

An exception is logged as its type and where it came from; its text may quote what people wrote. Libraries
that log whole messages or arguments are kept to what they say of themselves.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

QUIET = {
    # Logs the body of what it cannot decode, and that as critical.
    "celery.worker.consumer.consumer": logging.CRITICAL + 1,
    # Two lines a task say nothing that the job's timeline does not.
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "anthropic": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "alembic": logging.WARNING,
}
FRAMES = 8
MESSAGES = 1000
"""Different messages that a filter remembers; so many at once are none that repeat."""
NOTED = {"noted": True}
"""``extra`` for a record whose error is in the error log already (`pigi.store.log_entries`)."""


def configure_logging(level: int = logging.INFO) -> None:
    """Send everything, Pigi's and the libraries', through one formatter. Safe to repeat."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level],
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _name_exception,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_without_arguments)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def _without_arguments(record: logging.LogRecord) -> bool:
    """Celery's trace puts the task's arguments and the exception's text into its record; keep neither."""
    if record.name == "celery.app.trace" and isinstance(record.args, dict):
        record.msg, record.args = (
            "task %(name)s[%(id)s] ended badly",
            {
                "name": record.args.get("name"),
                "id": record.args.get("id"),
            },
        )
    return True


def _name_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and the places that it passed through."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = places_of(error)
    return event


def places_of(error: BaseException) -> list[str]:
    """The places in the code that an exception passed through, the innermost last: module, function, line."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        frames.append(f"{module}:{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-FRAMES:]


class RateLimitFilter(logging.Filter):
    """Lets each message of a logger pass once a minute, and says then how often it would have come.

    For what may fail again and again, each second or for each of ten thousand rows.
    """

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass."""
        message, moment = record.getMessage(), self._clock()
        since, left_out = self._seen.get(message, (None, 0))
        if since is not None and moment - since < self._seconds:
            self._seen[message] = (since, left_out + 1)
            return False
        if len(self._seen) >= MESSAGES:
            self._seen.clear()
        self._seen[message] = (moment, 0)
        if left_out:
            record.msg, record.args = f"{message} (and {left_out} times since the last such line)", None
        return True


def place_of(record: logging.LogRecord) -> str:
    """The place in the code that logged something."""
    return f"{record.module}:{record.funcName}:{record.lineno}"
