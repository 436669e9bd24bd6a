"""Tables of the control database about keys: public keys that still check signatures, and providers' keys by age."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, secret, technical
from pigi.store.contact import ANSWER, MESSAGE, SENDER, Ticket
from pigi.store.deletions import RECIPIENTS, TERMS, Deletion
from pigi.store.instants import Instant
from pigi.store.people import DEVICE_SECRET, SecondFactor

if TYPE_CHECKING:
    from sqlalchemy import Column

OPERATIONAL = Retention.OPERATIONAL
KEY = String(64)


class PublicKey(ControlBase):
    """A public key that signed something which must stay checkable, also when its private half is gone.

    ``endorsement`` is the signature of the keyring's first key under it: a row that somebody else wrote is not
    published.
    """

    __tablename__ = "public_key"

    x: Mapped[str] = mapped_column(KEY, primary_key=True, info=technical("the key, in base64", OPERATIONAL))
    endorsement: Mapped[str] = mapped_column(String(120), info=technical("a later key's signature", OPERATIONAL))
    added_at: Mapped[datetime] = mapped_column(Instant, info=technical("since when it is known", OPERATIONAL))


class ProviderKey(ControlBase):
    """A key for a provider, known by a keyed hash alone; so its age can be told, and whether it was refused."""

    __tablename__ = "provider_key"

    fingerprint: Mapped[str] = mapped_column(KEY, primary_key=True, info=secret("tells keys apart", OPERATIONAL))
    setting: Mapped[str] = mapped_column(KEY, info=technical("the setting that names it", OPERATIONAL))
    first_seen_at: Mapped[datetime] = mapped_column(Instant, info=technical("its age (P20)", OPERATIONAL))
    last_seen_at: Mapped[datetime] = mapped_column(Instant, info=technical("whether it is in use", OPERATIONAL))
    refused_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("when its provider last refused it", OPERATIONAL)
    )


_DELETION: Any = Deletion.__table__
_TICKET: Any = Ticket.__table__
_FACTOR: Any = SecondFactor.__table__
SEALED_BY_KEYRING: dict[Column[Any], str] = {
    _DELETION.c.recipients: RECIPIENTS,
    _DELETION.c.terms: TERMS,
    _FACTOR.c.sealed: DEVICE_SECRET,
    _TICKET.c.sender: SENDER,
    _TICKET.c.message: MESSAGE,
    _TICKET.c.answer: ANSWER,
}
"""Columns that `Keyring.seal` sealed, each for its row's primary key, with the use that it was sealed for."""
