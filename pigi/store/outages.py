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


def is_away(error: BaseException) -> bool:
    """Whether the database, not the statement, is at fault: gone, restarting, out of places or locked."""
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def retry_while_unavailable(action: Callable[[], Result], seconds: float) -> Result:
    """Run ``action``, again while the database is away, for at most ``seconds``; then its error stands.

    ``action`` must bear being run twice: an error may hide a commit that did happen.
    """
    end = time.monotonic() + seconds
    wait = FIRST_WAIT
    while True:
        try:
            return action()
        except DBAPIError as error:
            if not is_away(error) or time.monotonic() + wait > end:
                raise
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
