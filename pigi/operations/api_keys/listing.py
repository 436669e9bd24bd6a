"""API keys as those see them who may: what each opens, until when, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select

from pigi.clock import now
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.api_keys.keys import ANSWERS, is_live, scopes_of
from pigi.store.people import Account, ApiKey, Membership

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from pigi.application import Application
    from pigi.domain.access import Caller, Person, Scope

PAGE = 200


class KeyState(StrEnum):
    """Whether a key opens anything; names are permanent."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, repr=False)
class KeyView:
    """A key; ``last_used_on`` is a day, in UTC.

    Who left is named `former_member`; names are None for accounts that are gone, and for keys of the command line.
    ``handed_to`` is who answers for it in its maker's place.
    """

    id: str
    organisation_id: str
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
    handed_to: str | None
    handed_to_name: str | None

    @property
    def answers(self) -> str | None:
        """The account that answers for it."""
        return self.handed_to or self.created_by


def former_member(account_id: str) -> str:
    """What a member is called who left: told apart by the end of the account's id, since its beginning is a date."""
    return f"former member {account_id[-8:]}"


def _named(column: Any, label: str) -> Any:
    """The name of a key's member, None for one who left."""
    here = (Membership.organisation_id == ApiKey.organisation_id, Membership.account_id == column)
    name = select(Account.name).join(Membership, Membership.account_id == Account.id).where(*here)
    return name.correlate(ApiKey).scalar_subquery().label(label)


_KEYS: Any = select(ApiKey, _named(ApiKey.created_by, "maker"), _named(ApiKey.handed_to, "holder"))


def list_keys(application: Application, caller: Caller) -> list[KeyView]:
    """The organisation's keys, live ones first, newest first; of those that ended only so many as `PAGE` holds."""
    return _listed(application, _KEYS.where(ApiKey.organisation_id == caller.organisation_id))


def list_all_keys(application: Application) -> list[KeyView]:
    """As `list_keys`, of all organisations together; for operators."""
    return _listed(application, _KEYS)


def _listed(application: Application, keys: Any) -> list[KeyView]:
    query = keys.order_by(case((is_live(now()), 0), else_=1), ApiKey.id.desc()).limit(PAGE)
    with application.control.read() as session:
        return [_view(row) for row in session.execute(query)]


def keys_of(application: Application, caller: Caller, account_id: str) -> list[KeyView]:
    """The live keys of the organisation that this account answers for, newest first."""
    here = ApiKey.organisation_id == caller.organisation_id, ANSWERS == account_id, is_live(now())  # noqa: SIM300
    with application.control.read() as session:
        return [_view(row) for row in session.execute(_KEYS.where(*here).order_by(ApiKey.id.desc()))]


def keys_of_account(application: Application, person: Person, but: Collection[str] = ()) -> list[KeyView]:
    """The live keys that a person answers for in the organisations that they belong to, without those ``but``."""
    mine = select(Membership.organisation_id).where(Membership.account_id == person.account_id)
    places = ApiKey.organisation_id.in_(mine), ApiKey.organisation_id.not_in(but)
    here = *places, ANSWERS == person.account_id, is_live(now())  # noqa: SIM300
    with application.control.read() as session:
        return [_view(row) for row in session.execute(_KEYS.where(*here).order_by(ApiKey.id.desc()))]


def read_key(application: Application, caller: Caller, key_id: str) -> KeyView:
    """One key; raises Refused ``not_found``."""
    query = _KEYS.where(ApiKey.organisation_id == caller.organisation_id, ApiKey.id == key_id)
    with application.control.read() as session:
        row = session.execute(query).first() if is_id(key_id) else None
    if row is None:
        raise Refused("not_found")
    return _view(row)


def _view(row: Any) -> KeyView:
    key = row.ApiKey
    ended = KeyState.EXPIRED if key.expires_at <= now() else KeyState.ACTIVE
    return KeyView(
        key.id,
        key.organisation_id,
        key.label,
        scopes_of(key.scopes),
        KeyState.REVOKED if key.revoked_at is not None else ended,
        key.created_at,
        key.created_by,
        row.maker or (former_member(key.created_by) if key.created_by else None),
        key.expires_at,
        key.revoked_at,
        key.last_used_on,
        key.replaces,
        key.handed_to,
        row.holder or (former_member(key.handed_to) if key.handed_to else None),
    )
