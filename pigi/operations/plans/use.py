"""What an organisation uses of what its plan limits, for it to see before a limit is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pigi.clock import now
from pigi.domain.access import Caller
from pigi.domain.plans import Limit
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.access import reading
from pigi.operations.plans.entitlements import ACTIVE, SEATS, USAGE
from pigi.operations.plans.quotas import Stored, read_stored
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from pigi.application import Application

_METERED: Any = bindparam("metered", expanding=True)
_TODAY: Any = (
    select(func.coalesce(func.sum(USAGE.c.count), 0))
    .where(
        USAGE.c.organisation_id == bindparam("of_organisation"),
        USAGE.c.day == bindparam("day"),
        USAGE.c.kind.in_(_METERED),
    )
    .scalar_subquery()
)
_USE: Any = select(SEATS.scalar_subquery().label("members"), _TODAY.label("generations"))


@dataclass(frozen=True)
class Use:
    """What an organisation uses of what plans limit, counted as the limits count it."""

    members: int
    """Open invitations among them."""
    resources: int
    generations_today: int
    bytes: int = 0
    """Of all configuration, archived or not (`pigi.operations.plans.quotas`)."""
    writes_today: int = 0


def stored_of(application: Application, organisation_id: str) -> Stored:
    """What an organisation stores and wrote today, its archived things included; nothing without a database."""
    try:
        with reading(application, Caller(organisation_id)) as session:
            return read_stored(session)
    except TenantMissingError:
        return Stored()


def use_of(application: Application, caller: Caller) -> Use:
    """What the caller's organisation uses, in few queries of each database. Raises Temporary as `reading`."""
    moment = now()
    metered = [kind.name for kind in CATALOGUE.values() if kind.metered is Limit.GENERATIONS]
    parameters = {"of_organisation": caller.organisation_id, "moment": moment, "day": moment.date(), "metered": metered}
    with application.control.autocommit() as connection:
        row = connection.execute(_USE, parameters).one()
    with reading(application, caller) as session:
        stored = read_stored(session)
        active: int = session.execute(ACTIVE).scalar_one()
    return Use(row.members, active, int(row.generations), stored.bytes, stored.writes_today)
