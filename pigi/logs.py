"""Logging for every process: one JSON object a line on standard error, without content (promises P04, P15).

An exception is logged as its type and where it came from; its text may quote what people wrote. Libraries
that log whole messages or arguments are kept to what they say of themselves.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

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


def place_of(record: logging.LogRecord) -> str:
    """The place in the code that logged something."""
    return f"{record.module}:{record.funcName}:{record.lineno}"
