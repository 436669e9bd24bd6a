"""Isolation: what fails for one organisation keeps no other waiting, and is reported.

Every loop over organisations goes through `for_each`, or through an `Isolation` where the loop is of another form;
tests/architecture/test_isolation.py looks.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pigi.jobs.heartbeats import record
from pigi.jobs.model import transitions
from pigi.jobs.model.claim import JobInterrupt
from pigi.logs import places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pigi.jobs.execution.context import JobContext

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

SKIPPED = "some skipped"
"""The progress note of a job that could not do its work for everybody."""


class Isolation:
    """Of one run over many organisations: lets each fail alone.

    Attributes:
        skipped: how many failed.
        first: what failed first.
    """

    def __init__(self, what: str, ends_all: Callable[[Exception], bool] | None = None) -> None:
        """``what`` names the run in the log; what ``ends_all`` says yes to is nobody's own failure and passes."""
        self._what = what
        self._ends_all = ends_all
        self.skipped = 0
        self.first: Exception | None = None

    @contextmanager
    def of(self, organisation_id: str | None) -> Iterator[None]:
        """What fails in this block is logged and counted; the job's own end, such as a cancel, passes."""
        try:
            yield
        except JobInterrupt:
            raise
        except Exception as error:
            if _is_time_limit(error) or (self._ends_all is not None and self._ends_all(error)):
                raise
            self.skipped += 1
            self.first = self.first or error
            # Where, never what: an exception's text may quote content.
            place = (places_of(error) or ["?"])[-1]
            logger.warning("%s: skipped %s (%s at %s)", self._what, organisation_id or "-", type(error).__name__, place)

    def report(self, total: int) -> str | None:
        """Log how many of ``total`` were skipped, if any were; the sentence, at most 40 characters, or None."""
        if not self.skipped:
            return None
        sentence = f"skipped {self.skipped} of {total}"
        logger.error("%s: %s", self._what, sentence)
        return sentence


def _is_time_limit(error: Exception) -> bool:
    """Whether the job's own time is over. Web comes by here too and need not load what raises it in workers alone."""
    raising = sys.modules.get("billiard.exceptions")
    return raising is not None and isinstance(error, raising.SoftTimeLimitExceeded)


def for_each(
    context: JobContext,
    found: Sequence[Item],
    act: Callable[[Item], object],
    note: str,
    organisation: Callable[[Item], str] = str,
) -> int:
    """Do ``act`` for each, an organisation at a time, with a checkpoint before and progress after it.

    At the end the job's progress, the error log and the heartbeat ``each KIND`` say how many were skipped.

    Args:
        context: the job's.
        found: organisations' ids, or items of which ``organisation`` tells whose they are.
        act: what to do; an exception of it is that organisation's alone.
        note: the progress note, fixed words.
        organisation: tells an item's organisation.

    Returns how many were skipped. Raises Cancelled, LeaseLost and HandBack, as `JobContext.checkpoint`.
    """
    isolation = Isolation(context.job.kind)
    for done, one in enumerate(found, start=1):
        context.checkpoint()
        with isolation.of(organisation(one)):
            act(one)
        context.progress(done, len(found), note)
    sentence = isolation.report(len(found))
    with context.control.autocommit() as connection:
        record(connection, f"each {context.job.kind}", sentence)
        if sentence is not None:
            shown = {"done": len(found) - isolation.skipped, "total": len(found), "note": SKIPPED}
            connection.execute(transitions.PROGRESS, {**context.job.mine, **shown})
    return isolation.skipped
