"""Aggregation of usage signals into daily counts that are about nobody, after which the signals go (P04, P11).

Which counts may be kept says `pigi.domain.usage`. What is left out is left out for good: no total holds it, from which
it could be worked out, and nothing says whether a feature that is missing was used at all.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select

from pigi.clock import now
from pigi.domain.privacy_requests import RequestState, Right
from pigi.domain.retention import Retention
from pigi.domain.usage import publishable
from pigi.operations.retention import free
from pigi.store.control import Organisation
from pigi.store.engines import insert_into
from pigi.store.holds import held_organisations, lock_holds
from pigi.store.ledgers import UsageDaily
from pigi.store.log_entries import USAGE
from pigi.store.people import Membership
from pigi.store.privacy_requests import PrivacyRequest

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlDatabase

DAILY: Any = UsageDaily.__table__
BATCH = 1000
_STOPPING = (Right.RESTRICTION.value, Right.OBJECTION.value)
_CANARIES = select(Organisation.id).where(Organisation.canary)
"""Pigi's own, which try what people do: as a tenth organisation they would let a count through that is about nine."""


def aggregate_usage(context: JobContext, application: Application) -> None:
    """Count every day that is over, then remove its signals. A count, once made, is never changed."""
    while (day := oldest_waiting(application.control)) is not None and day < now().date():
        _count(application.control, day)
        while _remove(application.control, day):
            context.checkpoint()


def oldest_waiting(control: ControlDatabase) -> date | None:
    """The first day of which signals wait to be counted; None if none do."""
    with control.autocommit() as connection:
        oldest = connection.execute(select(func.min(USAGE.c.at)).where(*_free(connection))).scalar()
    return None if oldest is None else oldest.date()


def count_waiting(control: ControlDatabase, older_than: timedelta) -> int:
    """How many signals are older than this and still there, though nothing holds them."""
    with control.autocommit() as connection:
        late = select(func.count()).where(USAGE.c.at < now() - older_than, *_free(connection))
        return int(connection.execute(late).scalar_one())


def _free(connection: Connection) -> tuple[Any, ...]:
    """Signals that no hold keeps; held ones are counted with the rest of their day, and stay."""
    return free(Retention.USAGE, held_organisations(connection, Retention.USAGE))


def _within(day: date) -> Any:
    begin = datetime.combine(day, time(), UTC)
    return (USAGE.c.at >= begin) & (USAGE.c.at < begin + timedelta(days=1))


def _count(control: ControlDatabase, day: date) -> None:
    stopped = _stopped(day)
    each = (
        select(USAGE.c.event, func.count().label("uses"))
        .outerjoin(stopped, stopped.c.organisation_id == USAGE.c.organisation_id)
        .where(_within(day), or_(stopped.c.at.is_(None), USAGE.c.at > stopped.c.at))
        .where(USAGE.c.organisation_id.not_in(_CANARIES))
        .group_by(USAGE.c.event, USAGE.c.organisation_id)
        .subquery()
    )
    figures: tuple[Any, ...] = (func.sum(each.c.uses), func.count(), func.max(each.c.uses))
    counts = select(each.c.event, *figures).group_by(each.c.event)
    with control.transaction() as connection:
        groups: Any = connection.execute(counts)
        found = [(event, publishable(int(uses), many, most)) for event, uses, many, most in groups]
        rows = [{"day": day, "event": event, "count": count} for event, count in found if count is not None]
        if rows:
            connection.execute(insert_into(connection, DAILY).on_conflict_do_nothing(), rows)


def _stopped(day: date) -> Any:
    """Organisations in which somebody stopped statistics on this day or later, and when the last one did.

    A signal does not say whose it is. So none counts that may be theirs, from before they stopped it; after that they
    leave none.
    """
    begin = datetime.combine(day, time(), UTC)
    return (
        select(Membership.organisation_id, func.max(PrivacyRequest.answered_at).label("at"))
        .join(Membership, Membership.account_id == PrivacyRequest.account_id)
        .where(PrivacyRequest.type.in_(_STOPPING), PrivacyRequest.state == RequestState.ANSWERED.value)
        .where(PrivacyRequest.answered_at >= begin)
        .group_by(Membership.organisation_id)
        .subquery()
    )


def _remove(control: ControlDatabase, day: date) -> int:
    with control.transaction() as connection:
        lock_holds(connection, shared=True)
        chosen = select(USAGE.c.id).where(_within(day), *_free(connection)).limit(BATCH)
        return int(connection.execute(delete(USAGE).where(USAGE.c.id.in_(chosen))).rowcount)
