"""Retrying while a database is away for a moment, such as one that restarts.

For how long is the caller's to say: the engine's seconds are in `pigi.jobs.execution.timeouts`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from pigi.store.engines import TRY_SECONDS, lock_wait

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


def retry_while_unavailable(
    action: Callable[[], Result], seconds: float, also: tuple[type[Exception], ...] = ()
) -> Result:
    """Run ``action``, again while the database is away, others hold the rows, or it raises one of ``also``.

    After that its error stands.

    For ``seconds`` tries begin, and the last is over `TRY_SECONDS`, and up to a second, after that: locks are waited
    for no longer.
    ``action`` must bear being run twice: an error may hide a commit that did happen.
    """
    caught: tuple[type[Exception], ...] = (DBAPIError, *also)
    end = time.monotonic() + seconds
    wait, left = FIRST_WAIT, seconds + TRY_SECONDS
    while True:
        try:
            with lock_wait(left):
                return action()
        except caught as error:
            again = is_passing(error) or isinstance(error, also)
            if not again or time.monotonic() + wait > end:
                raise
        time.sleep(wait)
        wait, left = min(wait * 2, LONGEST_WAIT), end + TRY_SECONDS - time.monotonic()
