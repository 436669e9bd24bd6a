"""Warnings that an API key is about to end (P20): 14 and 3 days before, and on the day, each once.

Owners and admins get them, since they can rotate the key. A key that has a live successor was rotated, and
one that was made for less time than a warning looks ahead ends as its maker meant it to: neither is warned of.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, or_, select, update

from pigi.clock import now
from pigi.domain.access import Action, Role, role_may
from pigi.jobs.execution.isolation import for_each
from pigi.operations.mail import queue_mail
from pigi.store.control import Organisation
from pigi.store.people import Account, ApiKey, Membership

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlSession

WARNED_BEFORE = (0, 3, 14)
"""Days before its end at which a key is warned of."""
MADE_UP_FOR = timedelta(days=1)
"""How long after a key's end the day's warning is still sent: the run of the day may come after the hour."""
REQUESTED_BY = "schedule"

KEY: Any = ApiKey.__table__


def warn_of_ends(context: JobContext, application: Application) -> None:
    """Queue the warnings that are due. A run that was cut off is simply repeated: each key is its own transaction."""
    moment = now()

    def warn(key: Any) -> None:
        stage = stage_of(key.created_at, key.expires_at, moment)
        if stage is not None:
            _warn(application, key.id, key.organisation_id, stage)

    for_each(context, _ending(application, moment), warn, "warning", lambda key: str(key.organisation_id))


def stage_of(created_at: datetime, expires_at: datetime, moment: datetime) -> int | None:
    """The warning that a key has come to, as days before its end in UTC; None for none yet."""
    left = max(0, (expires_at.date() - moment.date()).days)
    for stage in WARNED_BEFORE:
        if left <= stage:
            return stage if expires_at - created_at > timedelta(days=stage) else None
    return None


def _ending(application: Application, moment: datetime) -> Sequence[Any]:
    """Keys that end within the longest warning, of active organisations, and have no live successor."""
    successor = KEY.alias("successor")
    followed = exists().where(
        successor.c.replaces == KEY.c.id, successor.c.revoked_at.is_(None), successor.c.expires_at > moment
    )
    query = (
        select(KEY.c.id, KEY.c.organisation_id, KEY.c.created_at, KEY.c.expires_at)
        .join(Organisation, Organisation.id == KEY.c.organisation_id)
        .where(
            Organisation.state == "active",
            KEY.c.revoked_at.is_(None),
            KEY.c.expires_at > moment - MADE_UP_FOR,
            KEY.c.expires_at < moment + timedelta(days=max(WARNED_BEFORE) + 1),
            or_(KEY.c.warned_days.is_(None), KEY.c.warned_days > min(WARNED_BEFORE)),
            ~followed,
        )
        .order_by(KEY.c.id)
    )
    with application.control.autocommit() as connection:
        return connection.execute(query).all()


def _warn(application: Application, key_id: str, organisation_id: str, stage: int) -> None:
    """Record the warning and queue its mails in one transaction, unless it was before or the key was revoked."""
    with application.control.begin() as session:
        recorded: Any = session.execute(
            update(KEY)
            .where(
                KEY.c.id == key_id,
                KEY.c.revoked_at.is_(None),
                or_(KEY.c.warned_days.is_(None), KEY.c.warned_days > stage),
            )
            .values(warned_days=stage)
        )
        if recorded.rowcount != 1:
            return
        for account in _accounts_that_may_rotate(session, organisation_id):
            queue_mail(
                session, application, "key-expiring", key_id, account.email_key,
                organisation_id=organisation_id, recipient_id=account.id, requested_by=REQUESTED_BY,
            )  # fmt: skip


def _accounts_that_may_rotate(session: ControlSession, organisation_id: str) -> Sequence[Any]:
    """The accounts that may rotate the organisation's keys."""
    roles = [role for role in Role if role_may(role, Action.KEYS_CHANGE)]
    query = (
        select(Account.id, Account.email_key)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.organisation_id == organisation_id, Membership.role.in_(roles), Account.state == "active")
        .order_by(Account.id)
    )
    return session.execute(query).all()
