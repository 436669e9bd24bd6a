"""What an organisation may use by its plan. Nowhere else is anything refused for want of a better one.

Limits stop what would add something. Reading, exporting, archiving, revoking, leaving, deleting and changing what
exists are never stopped: an organisation that is over its plan's limits loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from pigi.clock import now
from pigi.domain.plans import UNMETERED, Limit
from pigi.errors import Refused
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.operations.limits import USAGE, until_tomorrow
from pigi.operations.workspace import State, reading, take_turns
from pigi.store.billing import BillingAccount
from pigi.store.people import Invitation, Membership
from pigi.store.tenant import Project, Resource

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.store.sessions import ControlSession, TenantSession

ACCOUNT: Any = BillingAccount.__table__
MEMBERSHIP: Any = Membership.__table__
INVITATION: Any = Invitation.__table__
PROJECT: Any = Project.__table__
RESOURCE: Any = Resource.__table__


def _count(table: Any, *conditions: Any) -> Any:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_OWN: Any = bindparam("of_organisation")
_PLAN: Any = select(ACCOUNT.c.granted, ACCOUNT.c.plan).where(ACCOUNT.c.organisation_id == _OWN)
_MEMBERS = _count(MEMBERSHIP, MEMBERSHIP.c.organisation_id == _OWN)
_INVITED = _count(INVITATION, INVITATION.c.organisation_id == _OWN, INVITATION.c.expires_at > bindparam("moment"))
_TODAY: Any = (
    select(USAGE.c.count)
    .where(USAGE.c.organisation_id == _OWN, USAGE.c.day == bindparam("day"), USAGE.c.kind == GENERATE_DRAFT.name)
    .scalar_subquery()
)
_JOINED: Any = select(_MEMBERS)
_SEATS: Any = select(_MEMBERS + _INVITED)
_USE: Any = select((_MEMBERS + _INVITED).label("members"), func.coalesce(_TODAY, 0).label("generations"))
_ACTIVE: Any = (
    select(func.count())
    .select_from(RESOURCE)
    .join(PROJECT, PROJECT.c.id == RESOURCE.c.project_id)
    .where(RESOURCE.c.state == State.ACTIVE, PROJECT.c.state == State.ACTIVE)
)
_OF_PROJECT: Any = select(
    _count(RESOURCE, RESOURCE.c.project_id == bindparam("of_project"), RESOURCE.c.state == State.ACTIVE)
)


@dataclass(frozen=True)
class Use:
    """What an organisation uses of what plans limit, counted as the limits count it."""

    members: int
    """Open invitations among them."""
    resources: int
    generations_today: int


def plan_of(application: Application, organisation_id: str) -> Plan:
    """The organisation's plan. Where nobody is charged that is `UNMETERED`, and no database is asked."""
    if not application.plans.charged:
        return UNMETERED
    with application.control.quick() as connection:
        return plan_in(connection, application, organisation_id)


def plan_in(connection: Connection, application: Application, organisation_id: str) -> Plan:
    """`plan_of`, as the connection's transaction sees it. What an operator gave prevails over what was bought."""
    if not application.plans.charged:
        return UNMETERED
    row = connection.execute(_PLAN, {"of_organisation": organisation_id}).first()
    return application.plans.named(None if row is None else row.granted or row.plan)


def check_room(plan: Plan, limit: Limit, used: int) -> None:
    """Raise Refused ``plan_limit`` if ``used``, with what is asked for counted in, is more than the plan allows."""
    most = plan.most(limit)
    if most is None or used <= most:
        return
    passing = {"retry_after": until_tomorrow()} if limit is Limit.GENERATIONS else {}
    raise Refused("plan_limit", limit=most, plan=plan.title, what=limit.value, **passing)


def check_members(
    session: ControlSession, application: Application, organisation_id: str, *, inviting: bool = False
) -> None:
    """Raise Refused ``plan_limit`` unless one more may join or, with ``inviting``, be invited.

    Whoever was invited has a seat already, so joining counts members alone. The session holds the organisation's
    access (`lock_organisation`), so that the count stays true.
    """
    plan = plan_in(session.connection(), application, organisation_id)
    if plan.most(Limit.MEMBERS) is not None:
        asked = {"of_organisation": organisation_id} | ({"moment": now()} if inviting else {})
        used: int = session.connection().execute(_SEATS if inviting else _JOINED, asked).scalar_one()
        check_room(plan, Limit.MEMBERS, used + 1)


def check_resources(session: TenantSession, plan: Plan, of_project: str | None = None) -> None:
    """Raise Refused ``plan_limit`` unless one more resource may be active, or those ``of_project``, now archived.

    Active resources of active projects count. The session holds the project's row; then it waits here for
    whoever else adds to the organisation's resources, so that the count stays true.
    """
    if plan.most(Limit.RESOURCES) is None:
        return
    take_turns(session, "resources")
    more = 1 if of_project is None else session.execute(_OF_PROJECT, {"of_project": of_project}).scalar_one()
    if more:
        check_room(plan, Limit.RESOURCES, session.execute(_ACTIVE).scalar_one() + more)


def log_since(application: Application, organisation_id: str) -> datetime | None:
    """From when on an organisation is shown its log; None for from its beginning. What is older stays stored."""
    days = plan_of(application, organisation_id).most(Limit.LOG_DAYS)
    return None if days is None else now() - timedelta(days=days)


def use_of(application: Application, caller: Caller) -> Use:
    """What the caller's organisation uses, in one query of each database. Raises Temporary as `reading`."""
    moment = now()
    asked = {"of_organisation": caller.organisation_id, "moment": moment, "day": moment.date()}
    with application.control.quick() as connection:
        row = connection.execute(_USE, asked).one()
    with reading(application, caller) as session:
        return Use(row.members, session.execute(_ACTIVE).scalar_one(), row.generations)
