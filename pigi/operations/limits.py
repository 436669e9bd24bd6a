"""Limits on what one organisation may ask for. They protect the others, so they apply before any work."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pigi.clock import now
from pigi.errors import Refused
from pigi.jobs.lanes import LANE, UNRUNG, lane_of
from pigi.jobs.moves import JOB
from pigi.store.control import UsageCount
from pigi.store.engines import insert_into, is_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlSession

USAGE: Any = UsageCount.__table__
RETRY_SECONDS = 30


def _counting(insert: Any) -> Any:
    """One more today, and how many of the lane wait; counting those stops at the limit, so its cost is bounded."""
    waiting = select(JOB.c.id).where(LANE, UNRUNG).limit(bindparam("most_waiting")).subquery()
    counted = insert(USAGE).values(
        organisation_id=bindparam("of_organisation"), day=bindparam("of_day"), kind=bindparam("of_kind"), count=1
    )
    return counted.on_conflict_do_update(
        index_elements=[USAGE.c.organisation_id, USAGE.c.day, USAGE.c.kind], set_={"count": USAGE.c.count + 1}
    ).returning(USAGE.c.count, select(func.count()).select_from(waiting).scalar_subquery())


_COUNT = {True: _counting(sqlite.insert), False: _counting(postgresql.insert)}


def count_usage(  # noqa: PLR0913 - limits, each named at the call
    session: ControlSession,
    organisation_id: str,
    kind: Kind,
    *,
    most_waiting: int,
    most_today: int,
    check: Callable[[int], None] | None = None,
) -> None:
    """Count one more of this kind today (UTC), within the session's transaction.

    The row's lock also makes an organisation's requests of a kind take turns, which keeps its lane exact.

    Raises Refused: ``too_many_in_flight`` if ``most_waiting`` jobs of the lane wait already, ``too_many_today``
    over ``most_today``, and before that what ``check`` raises, given how many there are today with this one.
    """
    moment = now()
    connection = session.connection()
    parameters = {
        "of_organisation": organisation_id,
        "of_day": moment.date(),
        "of_kind": kind.name,
        "of_lane": lane_of(organisation_id, kind),
        "most_waiting": most_waiting,
    }
    counted = connection.execute(_COUNT[is_sqlite(connection)], parameters).one()
    today, waiting = int(counted[0]), int(counted[1])
    if waiting >= most_waiting:
        raise Refused("too_many_in_flight", retry_after=RETRY_SECONDS, limit=most_waiting)
    if check is not None:
        check(today)
    if today > most_today:
        refuse_until_tomorrow(most_today)


def count_today(session: ControlSession, organisation_id: str, what: str, most_today: int) -> None:
    """Count one more ``what`` that the organisation did today (UTC), within the session's transaction.

    Raises Refused ``too_many_today`` over ``most_today``.
    """
    connection = session.connection()
    counted = insert_into(connection, USAGE).values(
        organisation_id=organisation_id, day=now().date(), kind=what, count=1
    )
    one_more = counted.on_conflict_do_update(
        index_elements=[USAGE.c.organisation_id, USAGE.c.day, USAGE.c.kind], set_={"count": USAGE.c.count + 1}
    )
    if connection.execute(one_more.returning(USAGE.c.count)).scalar_one() > most_today:
        refuse_until_tomorrow(most_today)


def refuse_until_tomorrow(limit: int) -> NoReturn:
    """Raise Refused ``too_many_today``, until midnight UTC."""
    raise Refused("too_many_today", retry_after=until_tomorrow(), limit=limit)


def until_tomorrow() -> int:
    """Seconds until midnight UTC is past."""
    moment = now()
    tomorrow = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
    return int((tomorrow - moment).total_seconds()) + 1
