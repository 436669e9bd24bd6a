"""Alarms: operators are told of a line that turns, once a change, and not of one that flickers."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.access import AccountState
from pigi.domain.addresses import email_key
from pigi.domain.controls import State
from pigi.ids import new_id
from pigi.operations.mail import queue_mail
from pigi.operations.operators import list_operators
from pigi.operations.promises.standing import promises_standing
from pigi.store.promises import PromiseAlarm

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.promises.standing import PromiseStanding

logger = logging.getLogger(__name__)
ALARM: Any = PromiseAlarm.__table__
FINE: Final = "fine"
"""What is told of a line that holds or is attested."""
TEMPLATE: Final = "promise-alarm"
LASTS: dict[str, timedelta] = {
    State.FAILING: timedelta(0),
    State.STALE: timedelta(minutes=30),
    FINE: timedelta(hours=1),
}
"""For how long a line must have stood so before it is told. A violation is told at once. Silence is told when it is
longer than a restart takes. That it is over is told when it has been over for an hour: so a line that flickers is told
once, and not again before it has been calm."""


def watch(context: JobContext, application: Application) -> None:
    """Tell operators what has changed of the promises since they were last told, as a job."""
    context.checkpoint()
    tell_changes(application)


def tell_changes(application: Application) -> dict[str, str]:
    """Mail every operator, once, which lines turned, and write it to the log; what is told of which promise."""
    moment, batch, standings = now(), new_id(), promises_standing(application)
    operators = [one for one in list_operators(application) if one.state == AccountState.ACTIVE]
    with application.control.begin() as session:
        told = {
            standing.id: state
            for standing in standings
            for state in [_turned(session.connection(), standing, moment, batch)]
            if state is not None
        }
        for operator in operators if told else ():
            queue_mail(session, application, TEMPLATE, batch, email_key(operator.email), recipient_id=operator.id)
    for promise, state in told.items():
        logger.log(logging.INFO if state == FINE else logging.ERROR, "promise %s: %s", promise, state)
    return told


def _turned(connection: Connection, standing: PromiseStanding, moment: datetime, batch: str) -> str | None:
    """What there is to tell of a line now, which is marked as told; None if there is nothing, or not yet."""
    state = standing.state.value if standing.state in LASTS else FINE
    own = ALARM.c.promise == standing.id
    row = connection.execute(select(ALARM).where(own)).one_or_none()
    if row is None:
        first = {"promise": standing.id, "told": FINE, "told_at": moment, "batch": ""}
        connection.execute(insert(ALARM).values(**first))
        row = connection.execute(select(ALARM).where(own)).one()
    since = row.seen_at if row.seen == state else moment
    if state == row.told:
        values: dict[str, Any] = {"seen": None, "seen_at": None}
    elif moment - since < LASTS[state]:
        values = {"seen": state, "seen_at": since}
    else:
        values = {"told": state, "told_at": moment, "batch": batch, "seen": None, "seen_at": None}
    connection.execute(update(ALARM).where(own).values(values))
    return values.get("told")
