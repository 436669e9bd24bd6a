"""API keys as their organisation sees them: everything but the secret, of which only a hash is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, select

from pigi.clock import now
from pigi.domain.access import Scope
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.store.people import Account, ApiKey, Membership

if TYPE_CHECKING:
    from datetime import date, datetime

    from pigi.application import Application
    from pigi.domain.access import Caller

PAGE = 200


class KeyState(StrEnum):
    """Whether a key opens anything; names are permanent."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, repr=False)
class KeyView:
    """A key; ``last_used_on`` is a day, in UTC. ``created_by_name`` is None once that person has left."""

    id: str
    label: str
    scopes: tuple[Scope, ...]
    state: KeyState
    created_at: datetime
    created_by: str | None
    created_by_name: str | None
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    replaces: str | None


_KEYS: Any = (
    select(ApiKey, Account.name.label("maker"))
    .outerjoin(
        Membership,
        and_(Membership.organisation_id == ApiKey.organisation_id, Membership.account_id == ApiKey.created_by),
    )
    .outerjoin(Account, Account.id == Membership.account_id)
)


def is_live(moment: datetime) -> Any:
    """Whether a key opens something at ``moment``."""
    return and_(ApiKey.revoked_at.is_(None), ApiKey.expires_at > moment)


def list_keys(application: Application, caller: Caller) -> list[KeyView]:
    """The organisation's keys, live ones first, newest first; of those that ended only so many as `PAGE` holds."""
    first = case((is_live(now()), 0), else_=1)
    query = _KEYS.where(ApiKey.organisation_id == caller.organisation_id).order_by(first, ApiKey.id.desc()).limit(PAGE)
    with application.control.read() as session:
        return [_view(row.ApiKey, row.maker) for row in session.execute(query)]


def read_key(application: Application, caller: Caller, key_id: str) -> KeyView:
    """One key; raises Refused ``not_found``."""
    query = _KEYS.where(ApiKey.organisation_id == caller.organisation_id, ApiKey.id == key_id)
    with application.control.read() as session:
        row = session.execute(query).first() if is_id(key_id) else None
    if row is None:
        raise Refused("not_found")
    return _view(row.ApiKey, row.maker)


def _view(key: ApiKey, maker: str | None) -> KeyView:
    ended = KeyState.EXPIRED if key.expires_at <= now() else KeyState.ACTIVE
    return KeyView(
        key.id,
        key.label,
        scopes_of(key.scopes),
        KeyState.REVOKED if key.revoked_at is not None else ended,
        key.created_at,
        key.created_by,
        maker,
        key.expires_at,
        key.revoked_at,
        key.last_used_on,
        key.replaces,
    )


def scopes_of(text: str) -> tuple[Scope, ...]:
    """The scopes in a row, in the order of `Scope`."""
    kept = text.split()
    return tuple(scope for scope in Scope if scope in kept)
