"""Entitlements: the plan of an organisation, what it uses of it, and the limits on its requests.

Limits protect the other organisations, so they are checked before any work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.plans import UNMETERED, Limit
from pigi.domain.resources import ResourceState
from pigi.errors import Refused
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import PARTITION, UNPUBLISHED, partition_of
from pigi.operations.access import serialise_changes
from pigi.store.billing import BillingAccount
from pigi.store.control import Organisation, UsageCount
from pigi.store.engines import insert_into, is_sqlite
from pigi.store.people import Invitation, Membership
from pigi.store.tenant import Project, Resource

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.plans import Plan
    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlSession, TenantSession

USAGE: Any = UsageCount.__table__
RETRY_SECONDS = 30


def _counting(insert: Any) -> Any:
    """One more today, and how many of the partition wait; counting those stops at the limit, so its cost is bounded."""
    waiting = select(JOB.c.id).where(PARTITION, UNPUBLISHED).limit(bindparam("most_waiting")).subquery()
    counted = insert(USAGE).values(
        organisation_id=bindparam("of_organisation"), day=bindparam("of_day"), kind=bindparam("of_kind"), count=1
    )
    return counted.on_conflict_do_update(
        index_elements=[USAGE.c.organisation_id, USAGE.c.day, USAGE.c.kind], set_={"count": USAGE.c.count + 1}
    ).returning(USAGE.c.count, select(func.count()).select_from(waiting).scalar_subquery())


_COUNT = {True: _counting(sqlite.insert), False: _counting(postgresql.insert)}


_SEEN: Any = select(
    select(Organisation.state).where(Organisation.id == bindparam("of_organisation")).scalar_subquery().label("state"),
    select(USAGE.c.count)
    .where(
        USAGE.c.organisation_id == bindparam("of_organisation"),
        USAGE.c.day == bindparam("of_day"),
        USAGE.c.kind == bindparam("of_kind"),
    )
    .scalar_subquery()
    .label("today"),
    select(func.count())
    .select_from(select(JOB.c.id).where(PARTITION, UNPUBLISHED).limit(bindparam("most_waiting")).subquery())
    .scalar_subquery()
    .label("waiting"),
)
"""As `_counting`, but without counting: one read of the state, of the day's count and of what waits."""


@dataclass(frozen=True)
class UsageLimits:
    """How many jobs of a kind an organisation may request.

    Attributes:
        kind: what is requested.
        most_waiting: jobs of the partition that may wait.
        most_today: requests a day (UTC).
        plan: what it has paid for; counts where the kind is metered.
    """

    kind: Kind
    most_waiting: int
    most_today: int
    plan: Plan = UNMETERED

    def parameters(self, organisation_id: str) -> dict[str, object]:
        """The parameters of the statements that count."""
        return {
            "of_organisation": organisation_id,
            "of_day": now().date(),
            "of_kind": self.kind.name,
            "of_partition": partition_of(organisation_id, self.kind),
            "most_waiting": self.most_waiting,
        }

    def judge(self, today: int, waiting: int) -> None:
        """Raise Refused if what waits, or the day's count with this request in it, is over a limit."""
        if waiting >= self.most_waiting:
            raise Refused("too_many_in_flight", retry_after=RETRY_SECONDS, limit=self.most_waiting)
        if self.kind.metered is not None:
            check_room(self.plan, self.kind.metered, today)
        if today > self.most_today:
            refuse_until_tomorrow(self.most_today)


def check_usage(connection: Connection, organisation_id: str, limits: UsageLimits) -> None:
    """Refuse what `count_usage` would refuse as things stand, so that nothing is written first; raises as it.

    It locks nothing, so it is `count_usage` that decides. Raises Refused ``organisation_closed`` too.
    """
    found: Any = connection.execute(_SEEN, limits.parameters(organisation_id)).one()
    if found.state != OrganisationState.ACTIVE:
        raise Refused("organisation_closed")
    limits.judge((found.today or 0) + 1, found.waiting)


def count_usage(session: ControlSession, organisation_id: str, limits: UsageLimits) -> None:
    """Count one more of this kind today (UTC), within the session's transaction.

    The row's lock also makes an organisation's requests of a kind follow one another, which keeps its partition exact.

    Raises Refused: ``too_many_in_flight``, ``plan_limit``, ``too_many_today``, whichever is first in this order.
    """
    connection = session.connection()
    counted: Any = connection.execute(_COUNT[is_sqlite(connection)], limits.parameters(organisation_id)).one()
    limits.judge(counted[0], counted[1])


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


ACCOUNT: Any = BillingAccount.__table__
MEMBERSHIP: Any = Membership.__table__
INVITATION: Any = Invitation.__table__
PROJECT: Any = Project.__table__
RESOURCE: Any = Resource.__table__


def _count(table: Any, *conditions: Any) -> Any:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_OWN: Any = bindparam("of_organisation")
_PLAN: Any = (
    select(ACCOUNT.c.granted, ACCOUNT.c.plan, Organisation.canary)
    .select_from(Organisation)
    .outerjoin(ACCOUNT, ACCOUNT.c.organisation_id == Organisation.id)
    .where(Organisation.id == _OWN)
)
_MEMBERS = _count(MEMBERSHIP, MEMBERSHIP.c.organisation_id == _OWN)
_INVITED = _count(INVITATION, INVITATION.c.organisation_id == _OWN, INVITATION.c.expires_at > bindparam("moment"))
_JOINED: Any = select(_MEMBERS)
SEATS: Any = select(_MEMBERS + _INVITED)
ACTIVE: Any = (
    select(func.count())
    .select_from(RESOURCE)
    .join(PROJECT, PROJECT.c.id == RESOURCE.c.project_id)
    .where(RESOURCE.c.state == ResourceState.ACTIVE, PROJECT.c.state == ResourceState.ACTIVE)
)
_OF_PROJECT: Any = select(
    _count(RESOURCE, RESOURCE.c.project_id == bindparam("of_project"), RESOURCE.c.state == ResourceState.ACTIVE)
)


def plan_of(application: Application, organisation_id: str) -> Plan:
    """The organisation's plan. Where nobody is charged that is ``unmetered``, and no database is read."""
    if not application.plans.charged:
        return application.plans.unmetered
    with application.control.autocommit() as connection:
        return plan_in(connection, application, organisation_id)


def plan_in(connection: Connection, application: Application, organisation_id: str) -> Plan:
    """`plan_of`, as the connection's transaction sees it. What an operator gave prevails over what was bought."""
    if not application.plans.charged:
        return application.plans.unmetered
    row = connection.execute(_PLAN, {"of_organisation": organisation_id}).first()
    if row is not None and row.canary:
        return application.plans.unmetered
    return application.plans.named(None if row is None else row.granted or row.plan)


def check_room(plan: Plan, limit: Limit, wanted: int, adding: int = 1) -> None:
    """Raise Refused ``plan_limit`` if ``wanted``, in which ``adding`` is counted, is more than the plan allows."""
    most = plan.most(limit)
    if most is None or wanted <= most:
        return
    # What is more than a whole day's does not fit tomorrow either.
    passes = limit in {Limit.GENERATIONS, Limit.WRITES} and adding <= most
    passing = {"retry_after": until_tomorrow()} if passes else {}
    raise Refused(
        "plan_limit", limit=most, plan=plan.title, what=limit.value, used=wanted - adding, adding=adding, **passing
    )


def check_members(
    session: ControlSession, application: Application, organisation_id: str, *, inviting: bool = False
) -> None:
    """Raise Refused ``plan_limit`` unless one more may join or, with ``inviting``, be invited.

    Whoever was invited has a seat already, so joining counts members alone. The session holds the organisation's
    access (`lock_organisation`), so that the count stays true.
    """
    plan = plan_in(session.connection(), application, organisation_id)
    if plan.most(Limit.MEMBERS) is not None:
        parameters = {"of_organisation": organisation_id} | ({"moment": now()} if inviting else {})
        used: int = session.connection().execute(SEATS if inviting else _JOINED, parameters).scalar_one()
        check_room(plan, Limit.MEMBERS, used + 1)


def check_resources(session: TenantSession, plan: Plan, of_project: str | None = None, adding: int = 1) -> None:
    """Raise Refused ``plan_limit`` unless so many more may be active, or those ``of_project``, now archived.

    Active resources of active projects count. The session holds the project's row; then it waits here for
    whoever else adds to the organisation's resources, so that the count stays true.
    """
    if plan.most(Limit.RESOURCES) is None:
        return
    serialise_changes(session, "resources")
    more = adding if of_project is None else session.execute(_OF_PROJECT, {"of_project": of_project}).scalar_one()
    if more:
        check_room(plan, Limit.RESOURCES, session.execute(ACTIVE).scalar_one() + more, more)


def log_since(application: Application, organisation_id: str) -> datetime | None:
    """From when on an organisation is shown its log; None for from its beginning. What is older stays stored."""
    days = plan_of(application, organisation_id).most(Limit.LOG_DAYS)
    return None if days is None else now() - timedelta(days=days)
