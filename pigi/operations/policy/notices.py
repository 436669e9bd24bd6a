"""Notices of a material version: one mail to each person, at most once; and what is shown to them until it counts.

The audience is fixed by the moment of publishing: accounts of people, operators among them, that were in use then
and still are. Who comes later is shown it instead. A notice's row and its mail are one transaction, a few hundred at a
time, so a run that was killed goes on where it was; the mails wait in a partition of their own and hold up no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from pigi.clock import now
from pigi.domain.access import AccountState
from pigi.domain.mail import MailState, Template
from pigi.domain.policy import NOTICE as NOTICE_PERIOD
from pigi.domain.policy import Change
from pigi.jobs.kinds import NOTIFY_OF_POLICY
from pigi.operations.mail import queue_mail
from pigi.operations.policy.versions import VERSION, policy_history
from pigi.store.engines import lock_name
from pigi.store.people import Account
from pigi.store.policy import PolicyNotice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlSession

ACCOUNT: Any = Account.__table__
NOTICE: Any = PolicyNotice.__table__
ANNOUNCED_WITHIN = timedelta(days=1)
"""Within which every mail about a version is asked for: the hourly run makes up for what failed."""
LOCK = "policy notices"
BATCH = 100
"""How many are told in one transaction: a moment for everybody else."""


@dataclass(frozen=True)
class NoticeCounts:
    """How the notices of a version stand; of accounts that are gone by now they are gone too."""

    version: int
    effective_at: datetime
    announced_at: datetime | None
    waiting: int
    queued: int
    sent: int
    unknown: int
    failed: int


@dataclass(frozen=True)
class ComingPolicy:
    """A material version that takes effect soon, as pages announce it."""

    number: int
    effective_at: datetime


def _audience(published_at: datetime) -> ColumnElement[bool]:
    in_use = ACCOUNT.c.state == AccountState.ACTIVE.value
    found: ColumnElement[bool] = in_use & (ACCOUNT.c.kind != "canary") & (ACCOUNT.c.created_at <= published_at)
    return found


def _untold(version: int, published_at: datetime) -> ColumnElement[bool]:
    told = select(NOTICE.c.account_id).where(NOTICE.c.version == version, NOTICE.c.account_id == ACCOUNT.c.id).exists()
    return _audience(published_at) & ~told


def _open(moment: datetime) -> ColumnElement[bool]:
    found: ColumnElement[bool] = VERSION.c.announced_at.is_(None) | (VERSION.c.effective_at > moment)
    return found


_PENDING = select(VERSION).where(VERSION.c.change == Change.MATERIAL.value)


def count_people(connection: Connection, published_at: datetime) -> int:
    """How many a version that is published now is announced to."""
    query = select(func.count()).select_from(ACCOUNT).where(_audience(published_at))
    return int(connection.execute(query).scalar_one())


def announce_policy(context: JobContext, application: Application) -> None:
    """Ask for the mails that are missing about every material version; repeating it does no harm.

    Of one that was announced before, as long as it lies ahead: somebody may have restored an account meanwhile.
    """
    with application.control.autocommit() as connection:
        versions = connection.execute(_PENDING.where(_open(now())).order_by(VERSION.c.number)).all()
    for version in versions:
        while _tell_some(application, version):
            context.checkpoint()
        with application.control.transaction() as connection:
            this = VERSION.c.number == version.number, VERSION.c.announced_at.is_(None)
            connection.execute(update(VERSION).where(*this).values(announced_at=now()))


def _tell_some(application: Application, version: Any) -> bool:
    """Ask for the next mails; False once nobody is left."""
    untold = select(ACCOUNT.c.id, ACCOUNT.c.email_key).where(_untold(version.number, version.published_at))
    with application.control.begin() as session:
        # Two runs at once, after a lost lease: each person is asked for by one of them.
        lock_name(session.connection(), LOCK)
        found = session.execute(untold.order_by(ACCOUNT.c.id).limit(BATCH)).all()
        for account in found:
            mail = queue_mail(
                session, application, Template.POLICY_CHANGED, str(version.number), account.email_key,
                recipient_id=account.id, kind=NOTIFY_OF_POLICY,
            )  # fmt: skip
            values = {"version": version.number, "account_id": account.id, "mail_id": mail}
            values |= {"state": MailState.QUEUED.value, "created_at": now()}
            session.execute(insert(NOTICE).values(values))
    return bool(found)


def count_notices(application: Application) -> list[NoticeCounts]:
    """How the notices of each material version stand, the newest first."""
    by_state = select(NOTICE.c.version, NOTICE.c.state, func.count()).group_by(NOTICE.c.version, NOTICE.c.state)
    history = policy_history(application)
    with application.control.autocommit() as connection:
        found_by = connection.execute(by_state)
        counts = {(int(row[0]), str(row[1])): int(row[2]) for row in found_by}
        found = []
        for one in reversed(history.versions):
            if one.change == Change.MATERIAL:
                query = select(func.count()).select_from(ACCOUNT).where(_untold(one.number, one.published_at))
                waiting = 0 if one.announced_at else int(connection.execute(query).scalar_one())
                queued, sent, unknown, failed = (counts.get((one.number, state), 0) for state in MailState)
                found.append(
                    NoticeCounts(one.number, one.effective_at, one.announced_at, waiting, queued, sent, unknown, failed)
                )
    return found


def coming_policy(application: Application, account_id: str) -> ComingPolicy | None:
    """The material version that this person is to be shown: it lies ahead, and they have not closed its notice."""
    seen = select(func.coalesce(ACCOUNT.c.policy_seen, 0)).where(ACCOUNT.c.id == account_id).scalar_subquery()
    ahead = VERSION.c.effective_at > now(), VERSION.c.change == Change.MATERIAL.value, VERSION.c.number > seen
    query = select(VERSION.c.number, VERSION.c.effective_at).where(*ahead).order_by(VERSION.c.number.desc()).limit(1)
    with application.control.autocommit() as connection:
        row = connection.execute(query).first()
    return None if row is None else ComingPolicy(row.number, row.effective_at)


def close_notice(
    application: Application, account_id: str, number: int, on_done: Callable[[ControlSession], None]
) -> None:
    """Show this version's notice to this person no more; raises Refused ``not_found`` without such a version."""
    policy_history(application).numbered(number)
    newer = func.coalesce(ACCOUNT.c.policy_seen, 0) < number
    with application.control.begin() as session:
        this = update(ACCOUNT).where(ACCOUNT.c.id == account_id, newer)
        session.connection().execute(this.values(policy_seen=number))
        on_done(session)


def late_notices(application: Application) -> tuple[int, int]:
    """How many people should have been told by now and were not; and how many versions were announced too late.

    A material version is announced within a day, and 30 days before it counts.
    """
    history, late = policy_history(application), 0
    material = [one for one in history.versions if one.change == Change.MATERIAL]
    with application.control.autocommit() as connection:
        for one in material:
            pending = one.announced_at is None or one.effective_at > history.moment
            if pending and history.moment - one.published_at > ANNOUNCED_WITHIN:
                query = select(func.count()).select_from(ACCOUNT).where(_untold(one.number, one.published_at))
                late += int(connection.execute(query).scalar_one())
    return late, sum(one.effective_at - one.published_at < NOTICE_PERIOD for one in material)
