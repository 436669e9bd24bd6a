"""Retrying while a database is away for a moment, such as one that restarts.

For how long is the caller's to say: the engine's seconds are in `pigi.jobs.execution.timeouts`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

FIRST_WAIT = 0.05
LONGEST_WAIT = 1.0


CONTENDED = frozenset({"40P01", "55P03"})
"""SQLSTATEs of a deadlock and of a lock that was not had in time
(https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def is_away(error: BaseException) -> bool:
    """Whether the database, not the statement, is at fault: gone, restarting, out of places, or locked as a whole."""
    return is_passing(error) and getattr(getattr(error, "orig", None), "sqlstate", None) not in CONTENDED


def is_passing(error: BaseException) -> bool:
    """Whether the same statement may well succeed in a moment: the database is away, or others held the rows."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def retry_while_unavailable(action: Callable[[], Result], seconds: float) -> Result:
    """Run ``action``, again while the database is away or others hold the rows, for at most ``seconds``.

    After that its error stands.

    ``action`` must bear being run twice: an error may hide a commit that did happen.
    """
    end = time.monotonic() + seconds
    wait = FIRST_WAIT
    while True:
        try:
            return action()
        except DBAPIError as error:
            if not is_passing(error) or time.monotonic() + wait > end:
                raise
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
