"""API keys: ``pigi_<key's id>_<secret>``. Only a hash of the secret is kept.

The secret has 256 random bits, so a plain SHA-256 of it cannot be searched; slow hashes are for passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from pigi.clock import now
from pigi.domain.access import Key, Scope
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.organisations import check_organisation
from pigi.store.control import Organisation
from pigi.store.people import ApiKey

if TYPE_CHECKING:
    from pigi.application import Application

PREFIX = "pigi"
DEFAULT_DAYS = 90
LONGEST_DAYS = 365
LABEL_LENGTH = 120


def issue_key(application: Application, organisation_id: str, label: str, days: int = DEFAULT_DAYS) -> str:
    """Make a key and return it; it cannot be shown again.

    Raises Refused: ``not_found`` for the organisation, ``invalid_days`` outside 1 to 365, ``invalid_name``.
    """
    check_organisation(application, organisation_id)
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused("invalid_days")
    if not 0 < len(label) <= LABEL_LENGTH or not label.isprintable():
        raise Refused("invalid_name")
    key_id, secret, moment = new_id(), secrets.token_urlsafe(32), now()
    with application.control.begin() as session:
        session.add(
            ApiKey(
                id=key_id,
                organisation_id=organisation_id,
                label=label,
                scopes=" ".join(Scope),
                secret_hash=_hashed(secret),
                created_at=moment,
                expires_at=moment + timedelta(days=days),
            )
        )
    return f"{PREFIX}_{uuid.UUID(key_id).hex}_{secret}"


def revoke_key(application: Application, key_id: str) -> None:
    """End a key at once; raises Refused ``not_found``."""
    with application.control.begin() as session:
        ended: Any = session.execute(
            update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now())
        )
        if ended.rowcount != 1:
            raise Refused("not_found")


_FIND: Any = (
    select(ApiKey.id, ApiKey.secret_hash, ApiKey.expires_at, ApiKey.organisation_id, ApiKey.scopes)
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(ApiKey.id == bindparam("key_id"), ApiKey.revoked_at.is_(None), Organisation.state == "active")
)


def authenticate(application: Application, token: str) -> Key:
    """Which key this is the token of; raises Refused ``unauthenticated`` for any token that does not hold now."""
    key_id, secret = _parts(token)
    with application.control.quick() as connection:
        row = connection.execute(_FIND, {"key_id": key_id}).first()
    matches = hmac.compare_digest(_hashed(secret), row.secret_hash if row else b"\0" * 32)
    if row is None or not matches or row.expires_at <= now():
        raise Refused("unauthenticated")
    return Key(row.id, row.organisation_id, frozenset(map(Scope, row.scopes.split())))


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
