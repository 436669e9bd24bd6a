"""API keys: ``pigi_<key's id>_<secret>``. Only a hash of the secret is kept.

The secret has 256 random bits, so a plain SHA-256 of it cannot be searched; slow hashes are for passwords.
The prefix is what secret scanners look for, so it stays as it is. What members do with keys is in
`pigi.operations.api_keys.keys`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.access import Action, Key, Scope
from pigi.domain.names import is_name
from pigi.domain.resources.saving import check_secrets
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.access import changing_access, lock_organisation
from pigi.operations.audit import CLI, record
from pigi.store.control import Organisation
from pigi.store.instants import to_text
from pigi.store.people import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

    OnMade = Callable[[ControlSession, str], None]
    OnDone = Callable[[ControlSession], None]


PREFIX = "pigi"
DEFAULT_DAYS = 90
LONGEST_DAYS = 365
MOST_LIVE = 50
"""Live keys of an organisation; twice as many while keys are being rotated, so that all of them can be."""

KEY: Any = ApiKey.__table__
ANSWERS: Any = func.coalesce(KEY.c.handed_to, KEY.c.created_by)
"""The account that answers for a key: its maker, unless it was handed over."""


@dataclass(frozen=True, repr=False)
class IssuedKey:
    """A new key with what its holder sends, which is shown once."""

    id: str
    token: str


@dataclass(frozen=True, repr=False)
class NewKey:
    """What a new key shall be."""

    organisation_id: str
    label: str
    scopes: frozenset[Scope]
    days: int
    made_by: str | None = None
    replaces: str | None = None


_FIND: Any = (
    select(ApiKey.id, ApiKey.secret_hash, ApiKey.expires_at, ApiKey.organisation_id, ApiKey.scopes, ApiKey.last_used_on)
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(ApiKey.id == bindparam("key_id"), ApiKey.revoked_at.is_(None), Organisation.state == "active")
)
_NOTE: Any = (
    update(KEY)
    .where(KEY.c.id == bindparam("of_key"), or_(KEY.c.last_used_on.is_(None), KEY.c.last_used_on < bindparam("day")))
    .values(last_used_on=bindparam("day"))
)


def authenticate(application: Application, token: str) -> Key:
    """Which key this is the token of; raises Refused ``unauthenticated`` for any token that does not hold now."""
    key_id, secret = _parts(token)
    with application.control.autocommit() as connection:
        row = connection.execute(_FIND, {"key_id": key_id}).first()
    matches = hmac.compare_digest(_hashed(secret), row.secret_hash if row else b"\0" * 32)
    moment = now()
    if row is None or not matches or row.expires_at <= moment:
        raise Refused("unauthenticated")
    if row.last_used_on != moment.date():
        _note_use(application, row.id, moment.date())
    return Key(row.id, row.organisation_id, frozenset(map(Scope, row.scopes.split())))


def _note_use(application: Application, key_id: str, day: date) -> None:
    """Record the day of the latest use, once a day: a write for each request would cost more than it says."""
    try:
        with application.control.autocommit() as connection:
            connection.execute(_NOTE, {"of_key": key_id, "day": day})
    except SQLAlchemyError:
        # The request goes on, and the next one records it.
        return


def issue_key(
    application: Application,
    organisation_id: str,
    label: str,
    days: int = DEFAULT_DAYS,
    scopes: Iterable[Scope] = tuple(Scope),
) -> str:
    """Make a key as an operator, on the command line; returns what its holder sends.

    Raises Refused: ``not_found`` for the organisation, ``invalid_days``, ``invalid_name``, ``secret_found`` in the
        label, ``too_many_keys``.
    """
    check_key(label, days)
    with application.control.begin() as session:
        lock_organisation(session, organisation_id)
        return insert_key(session, application, CLI, NewKey(organisation_id, label, frozenset(scopes), days)).token


def revoke_key(application: Application, key_id: str) -> None:
    """Revoke a key as an operator, on the command line; raises Refused ``not_found``, also if it is revoked."""
    with application.control.begin() as session:
        row = find_key(session, key_id)
        if row.revoked_at is not None:
            raise Refused("not_found")
        end_row(session, application, CLI, row.organisation_id, key_id)


def find_key(session: ControlSession, key_id: str, organisation_id: str | None = None) -> Any:
    """The key's row, held to the end of the transaction; raises Refused ``not_found``, also for another's key."""
    query = select(KEY).where(KEY.c.id == key_id).with_for_update()
    row = session.execute(query).first() if is_id(key_id) else None
    if row is None or organisation_id not in {None, row.organisation_id}:
        raise Refused("not_found")
    return row


def end_row(session: ControlSession, application: Application, actor: str, organisation_id: str, key_id: str) -> None:
    """Revoke a key that was found."""
    session.execute(update(KEY).where(KEY.c.id == key_id).values(revoked_at=now()))
    record(session, application, "key.revoked", actor, organisation_id, f"api-key:{key_id}", key=key_id)


def check_key(label: str, days: int) -> None:
    """Raise Refused: ``invalid_days`` outside 1 to 365; ``invalid_name``, ``secret_found`` for the label."""
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused("invalid_days")
    if not is_name(label):
        raise Refused("invalid_name")
    check_secrets({"label": label})


def insert_key(session: ControlSession, application: Application, actor: str, new_key: NewKey) -> IssuedKey:
    """Make the key in the session's transaction, which holds the organisation; raises Refused ``too_many_keys``."""
    moment = now()
    _leave_room(session, new_key, moment)
    key_id, secret = new_id(), secrets.token_urlsafe(32)
    session.add(
        ApiKey(
            id=key_id,
            organisation_id=new_key.organisation_id,
            label=new_key.label,
            scopes=" ".join(scope for scope in Scope if scope in new_key.scopes),
            secret_hash=_hashed(secret),
            created_by=new_key.made_by,
            replaces=new_key.replaces,
            created_at=moment,
            expires_at=moment + timedelta(days=new_key.days),
        )
    )
    session.flush()
    kind = "key.issued" if new_key.replaces is None else "key.rotated"
    record(
        session, application, kind, actor, new_key.organisation_id, f"api-key:{key_id}",
        key=key_id, replaces=new_key.replaces, scopes=" ".join(sorted(new_key.scopes)), days=new_key.days,
    )  # fmt: skip
    return IssuedKey(key_id, f"{PREFIX}_{uuid.UUID(key_id).hex}_{secret}")


def _leave_room(session: ControlSession, new_key: NewKey, moment: datetime) -> None:
    most = MOST_LIVE if new_key.replaces is None else 2 * MOST_LIVE
    live = select(func.count()).select_from(ApiKey).where(ApiKey.organisation_id == new_key.organisation_id)
    if (session.scalar(live.where(is_live(moment))) or 0) >= most:
        raise Refused("too_many_keys", limit=most)


def _parts(token: str) -> tuple[str, str]:
    prefix, _, rest = token.partition("_")
    key, _, secret = rest.partition("_")
    try:
        if prefix == PREFIX and secret and token.isascii():
            return str(uuid.UUID(hex=key)), secret
    except ValueError:
        pass
    raise Refused("unauthenticated")


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


DEFAULT_OVERLAP_DAYS = 7
LONGEST_OVERLAP_DAYS = 30


def make_key(  # noqa: PLR0913 - what is requested, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    label: str,
    scopes: Iterable[Scope],
    days: int = DEFAULT_DAYS,
    on_made: OnMade | None = None,
) -> IssuedKey:
    """Make a key for the caller's organisation; ``on_made`` gets its id in the same transaction.

    Raises Refused: ``invalid_days`` outside 1 to 365, ``invalid_name`` and ``secret_found`` for the label,
        ``too_many_keys``, and as `changing_access`.
    """
    label = label.strip()
    check_key(label, days)
    new_key = NewKey(caller.organisation_id, label, frozenset(scopes), days, caller.account_id)
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        issued = insert_key(session, application, caller.name, new_key)
        if on_made is not None:
            on_made(session, issued.id)
    return issued


def rotate_key(  # noqa: PLR0913 - what is requested, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    key_id: str,
    days: int = DEFAULT_DAYS,
    overlap_days: int = DEFAULT_OVERLAP_DAYS,
    on_made: OnMade | None = None,
) -> IssuedKey:
    """Make a successor with the same label and scopes; the old key ends after the overlap, or earlier by itself.

    Raises Refused: ``not_found``, ``invalid_days``, ``key_over`` for a key that was revoked or has expired,
        ``key_rotated`` while a successor of it is live, ``too_many_keys``, and as `changing_access`.
    """
    if not (1 <= days <= LONGEST_DAYS and 0 <= overlap_days <= LONGEST_OVERLAP_DAYS):
        raise Refused("invalid_days")
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        old = find_key(session, key_id, caller.organisation_id)
        moment = now()
        if old.revoked_at is not None or old.expires_at <= moment:
            raise Refused("key_over")
        _refuse_second(session, old, moment)
        scopes = frozenset(map(Scope, old.scopes.split()))
        new_key = NewKey(caller.organisation_id, old.label, scopes, days, caller.account_id, old.id)
        issued = insert_key(session, application, caller.name, new_key)
        until = min(old.expires_at, moment + timedelta(days=overlap_days))
        session.execute(update(KEY).where(KEY.c.id == old.id).values(expires_at=until))
        if on_made is not None:
            on_made(session, issued.id)
    return issued


def _refuse_second(session: ControlSession, old: Any, moment: datetime) -> None:
    """Refuse to rotate a key whose live successor would be left to live on beside another, used by nobody."""
    follows = select(ApiKey.id).where(ApiKey.replaces == old.id, is_live(moment)).limit(1)
    successor = session.scalar(follows)
    if successor is not None:
        raise Refused("key_rotated", successor=successor, until=to_text(old.expires_at))


def end_key(application: Application, caller: Caller, key_id: str, on_done: OnDone | None = None) -> None:
    """Revoke a key at once; repeating it is harmless. Raises Refused: ``not_found``, and as `changing_access`."""
    with changing_access(application, caller, Action.KEYS_CHANGE) as (session, _role):
        if find_key(session, key_id, caller.organisation_id).revoked_at is None:
            end_row(session, application, caller.name, caller.organisation_id, key_id)
        if on_done is not None:
            on_done(session)


def is_live(moment: datetime) -> Any:
    """Whether a key opens something at ``moment``."""
    return and_(ApiKey.revoked_at.is_(None), ApiKey.expires_at > moment)


def scopes_of(text: str) -> tuple[Scope, ...]:
    """The scopes in a row, in the order of `Scope`."""
    kept = text.split()
    return tuple(scope for scope in Scope if scope in kept)
