"""Requests about one's data: the rights, the states, and by when an answer is due (GDPR article 12(3))."""

from __future__ import annotations

from calendar import monthrange
from datetime import time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

DETAIL_LENGTH = 4000
"""Characters of what somebody writes, and of an answer."""
MONTHS_TO_ANSWER = 1
MONTHS_LONGEST = 3
"""With the extension by two further months, which takes a reason given within the first."""


class Right(StrEnum):
    """What can be asked; the names are permanent."""

    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"
    PORTABILITY = "portability"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


ARTICLES: dict[Right, int] = {
    Right.ACCESS: 15,
    Right.CORRECTION: 16,
    Right.ERASURE: 17,
    Right.PORTABILITY: 20,
    Right.RESTRICTION: 18,
    Right.OBJECTION: 21,
}


class RequestState(StrEnum):
    """How far a request is; the names are permanent. The last three are left by nobody."""

    OPEN = "open"
    """It waits for an answer."""
    ANSWERED = "answered"
    REFUSED = "refused"
    """Answered with why it is not followed, and that one can complain."""
    WITHDRAWN = "withdrawn"
    """By whoever made it; a restriction or an objection then counts no longer."""


def due_by(received: datetime, months: int) -> datetime:
    """By when an answer is due: so many months later, at the same time of day.

    Of what came on a day and nobody noted when, for which midnight stands, it is due when that day of the month ends
    (the regulation below, article 3(2)(c)).
    """
    due = months_after(received, months)
    return due + timedelta(days=1) if received.time() == time() else due


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and time so many months later, or that month's last day if it is shorter.

    Source: Regulation (EEC, Euratom) No 1182/71, article 3(2)(c). That a period may end later because of a holiday is
    left out: an answer is never late for being early.
    """
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
