"""Wrong passwords and codes as the account's owner sees them: how many on which day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.operations.audit import entries_about
from pigi.store.ledgers import FailedSignIn

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Person

FAILED: Any = FailedSignIn.__table__
SHOWN = timedelta(days=30)


@dataclass(frozen=True)
class FailedDay:
    """How many wrong passwords and codes were given for an account on a day (UTC)."""

    day: date
    count: int


def list_failures(application: Application, person: Person) -> list[FailedDay]:
    """Of the days of `SHOWN`, newest first, those on which something was wrong.

    What is refused unseen, since too much was wrong before, is not counted.
    """
    first = now().date() - SHOWN
    days: Counter[date] = Counter()
    with application.control.read() as session:
        # The entries first: a day that is entered in between is missed once, and never counted twice.
        entered = entries_about(session, "session.failed", person.name, now() - SHOWN)
        mine = FAILED.c.subject == person.account_id
        for row in session.execute(select(FAILED.c.day, FAILED.c.count.label("wrong")).where(mine)):
            days[row.day] += row.wrong
    for details in entered:
        days[date.fromisoformat(str(details["day"]))] += int(details["count"])
    return [FailedDay(day, days[day]) for day in sorted(days, reverse=True) if day >= first]
