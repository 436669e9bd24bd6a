"""When Pigi itself stood still of late, as far as its own records show: the work that it does unasked leaves rows.

No more is written down for it than the jobs of the schedule, which come every few minutes. Where none came for a
quarter of an hour nothing ran, and where one waited as long nobody worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.clock import now
from pigi.jobs.kinds import SWEEPS
from pigi.jobs.model.transitions import JOB

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pigi.application import Application

LOOKED_BACK = timedelta(days=7)
"""Rows of jobs are kept no longer (`Retention.JOB`)."""
STILL = timedelta(minutes=15)
"""The timetable's longest pause is four minutes; a restart or a queue that is long for a moment does not count."""


@dataclass(frozen=True)
class Interruption:
    """A time in which no work was done; ``ended_at`` None if it goes on."""

    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Interruptions:
    """Those of the last days, newest first; ``since`` is how far back the records go, None if there are none."""

    since: datetime | None
    found: tuple[Interruption, ...]


def read_interruptions(application: Application) -> Interruptions:
    """What the last week's records show. It reads some thousand rows: whoever shows it to all keeps it a while."""
    moment = now()
    query = (
        select(JOB.c.created_at, JOB.c.started_at)
        .where(JOB.c.kind.in_([kind.name for kind in SWEEPS.values()]), JOB.c.created_at > moment - LOOKED_BACK)
        .where(JOB.c.schedule.is_not(None))
        .order_by(JOB.c.created_at)
    )
    with application.control.autocommit() as connection:
        rows = [(row.created_at, row.started_at) for row in connection.execute(query)]
    return Interruptions(rows[0][0] if rows else None, tuple(interruptions_in(rows, moment)))


def interruptions_in(rows: Sequence[tuple[datetime, datetime | None]], moment: datetime) -> list[Interruption]:
    """Those that follow from when each job came and began, in the order in which they came; newest first.

    ``moment`` is when the records were read. Times that touch are one: work that was missed is caught up afterwards.
    """
    came = [created for created, _ in rows]
    spans = [span for span in pairwise([*came, moment] if came else []) if span[1] - span[0] > STILL]
    spans += [span for created, began in rows if (span := (created, began or moment))[1] - span[0] > STILL]
    joined: list[tuple[datetime, datetime]] = []
    for began, ended in sorted(spans):
        if joined and began <= joined[-1][1]:
            began, ended = joined[-1][0], max(joined.pop()[1], ended)  # noqa: PLW2901 - the two as one
        joined.append((began, ended))
    return [Interruption(began, None if ended == moment else ended) for began, ended in reversed(joined)]
