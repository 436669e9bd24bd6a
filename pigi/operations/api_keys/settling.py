"""Settling API keys: what becomes of those that somebody answers for, in the act by which they leave or may do less.

A key acts for the organisation, but somebody answers for it: its maker or, since they left, whoever it was handed to.
Nobody keeps by a key what they may no longer do themselves (P19).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import AccountState, KeyFate, Role, Scope, may_answer_for
from pigi.domain.mail import Template
from pigi.ids import new_id
from pigi.operations.api_keys.keys import ANSWERS, KEY, end_row, is_live
from pigi.operations.audit import record
from pigi.operations.mail import queue_mail
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.application import Application
    from pigi.store.sessions import ControlSession


def settle_keys(  # noqa: PLR0913 - whose keys, where, what with them, and by whom
    session: ControlSession,
    application: Application,
    actor: str,
    organisation_id: str,
    account_id: str,
    *,
    role: Role | None,
    fate: KeyFate,
) -> None:
    """Revoke or hand over the live keys that the account answers for and that open more than ``role`` may.

    The session holds the organisation; ``role`` is None for whoever leaves. Keys are handed to whoever does this, or to
    the longest-standing other owner if that is the account itself or no member; without any they are revoked. All other
    owners, and whoever gets keys, are mailed which those are.
    """
    beyond = _keys_beyond(session, organisation_id, account_id, role)
    if not beyond:
        return
    owners = _members(session, organisation_id, account_id, Role.OWNER)
    heir = None
    if fate is KeyFate.HAND_OVER:
        able = _members(session, organisation_id, account_id, Role.OWNER, Role.ADMIN)
        heir = next((row for row in able if actor == f"account:{row.id}"), owners[0] if owners else None)
    settlement = new_id()
    for key_id in beyond:
        if heir is None:
            end_row(session, application, actor, organisation_id, key_id)
        else:
            subject = f"account:{heir.id}"
            record(session, application, "key.handed_over", actor, organisation_id, subject, key=key_id)
    handed = {} if heir is None else {"handed_to": heir.id}
    session.execute(update(KEY).where(KEY.c.id.in_(beyond)).values(settlement=settlement, **handed))
    told = {row.id: row for row in [*owners, *([heir] if heir is not None else [])]}
    for row in told.values():
        # Pigi's own job, not the organisation's: whoever keeps keys by this could cancel that before it is sent.
        queue_mail(
            session, application, Template.KEYS_SETTLED, settlement, row.email_key,
            recipient_id=row.id, requested_by=actor,
        )  # fmt: skip


def _keys_beyond(session: ControlSession, organisation_id: str, account_id: str, role: Role | None) -> list[str]:
    """The live keys that the account answers for and somebody of this role could not."""
    theirs = (KEY.c.organisation_id == organisation_id, account_id == ANSWERS, is_live(now()))
    rows = session.execute(select(KEY.c.id, KEY.c.scopes).where(*theirs).order_by(KEY.c.id)).all()
    return [row.id for row in rows if not may_answer_for(role, frozenset(map(Scope, row.scopes.split())))]


def _members(session: ControlSession, organisation_id: str, but: str, *roles: Role) -> Sequence[Any]:
    """Accounts in use of other members with these roles, the longest-standing first."""
    query = (
        select(Account.id, Account.email_key)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.organisation_id == organisation_id, Membership.role.in_(roles), Account.id != but)
        .where(Account.state == AccountState.ACTIVE.value)
        .order_by(Membership.joined_at, Account.id)
    )
    return session.execute(query).all()
