"""Limits on what one organisation may ask for. They protect the others, so they apply before any work."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pigi.clock import now
from pigi.errors import Refused
from pigi.jobs.lanes import LANE, UNRUNG, lane_of
from pigi.jobs.moves import JOB
from pigi.store.control import UsageCount
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlSession

USAGE: Any = UsageCount.__table__
RETRY_SECONDS = 30

# Counting stops at the limit: the cost is bounded however long the lane is.
_WAITING = select(func.count()).select_from(select(JOB.c.id).where(LANE, UNRUNG).limit(bindparam("most")).subquery())


def refuse_flood(session: ControlSession, organisation_id: str, kind: Kind, most: int) -> None:
    """Raise Refused ``too_many_in_flight`` if ``most`` jobs of the organisation's lane wait already."""
    lane = lane_of(organisation_id, kind.queue)
    waiting = session.connection().execute(_WAITING, {"of_lane": lane, "most": most}).scalar_one()
    if waiting >= most:
        raise Refused("too_many_in_flight", retry_after=RETRY_SECONDS, limit=most)


def count_usage(session: ControlSession, organisation_id: str, kind: Kind, most: int) -> None:
    """Count one more of this kind today (UTC); raises Refused ``too_many_today`` over ``most``.

    The row's lock also makes an organisation's requests of a kind take turns, which keeps its lane exact.
    """
    moment = now()
    connection = session.connection()
    statement = insert_into(connection, USAGE).values(
        organisation_id=organisation_id, day=moment.date(), kind=kind.name, count=1
    )
    counted = statement.on_conflict_do_update(
        index_elements=[USAGE.c.organisation_id, USAGE.c.day, USAGE.c.kind], set_={"count": USAGE.c.count + 1}
    ).returning(USAGE.c.count)
    if connection.execute(counted).scalar_one() > most:
        tomorrow = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
        raise Refused("too_many_today", retry_after=int((tomorrow - moment).total_seconds()) + 1, limit=most)
