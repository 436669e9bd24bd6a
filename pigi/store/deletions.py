"""Tables of deletions under way, their steps, and the receipts that are left of them (docs/state-machines.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Erasure
from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
OPEN = text("state != 'done'")
DELETION = Retention.DELETION
RECIPIENTS, TERMS = "deletion recipients", "deletion terms"
"""The uses for which the keyring seals the two columns (`pigi.store.keyring.Keyring.seal`)."""


class Deletion(ControlBase):
    """The deletion of an organisation or an account. Once done it says when and how it went, and no longer of whom.

    ``recipients`` and ``terms`` are sealed by the keyring for this row: whom to send the receipt, and what the final
    search looks for. Both go, with ``subject_id`` and ``requested_by``, when the deletion is done.
    """

    __tablename__ = "deletion"
    __table_args__ = (Index("ix_deletion_open", "restorable_until", sqlite_where=OPEN, postgresql_where=OPEN),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", DELETION))
    receipt_id: Mapped[str] = mapped_column(ID, unique=True, info=technical("names its receipt", DELETION))
    scope: Mapped[str] = mapped_column(CODE, info=technical("organisation or account", DELETION))
    subject_id: Mapped[str | None] = mapped_column(
        ID, index=True, info=pseudonym("of whom, until it is done", DELETION, erasure=Erasure.LAST)
    )
    part_of: Mapped[str | None] = mapped_column(
        ID, index=True, info=technical("the account's deletion that takes this organisation along", DELETION)
    )
    state: Mapped[str] = mapped_column(CODE, info=technical("how far it is", DELETION))
    requested_by: Mapped[str | None] = mapped_column(
        String(80), info=pseudonym("who, until it is done", DELETION, erasure=Erasure.LAST)
    )
    requested_at: Mapped[datetime] = mapped_column(Instant, info=technical("when", DELETION))
    restorable_until: Mapped[datetime] = mapped_column(Instant, info=technical("the end of its grace", DELETION))
    final_by: Mapped[datetime] = mapped_column(Instant, info=technical("by when it must be done (P26)", DELETION))
    sealed_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("since when for good", DELETION))
    warned_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("when owners were warned", DELETION))
    done_at: Mapped[datetime | None] = mapped_column(Instant, index=True, info=technical("when it was done", DELETION))
    recipients: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=secret("whom to send the receipt, sealed", DELETION)
    )
    terms: Mapped[bytes | None] = mapped_column(LargeBinary, info=secret("what the search looks for, sealed", DELETION))


class DeletionStep(ControlBase):
    """A step of a deletion: what it removes, how much it removed so far, and when it was done."""

    __tablename__ = "deletion_step"

    deletion_id: Mapped[str] = mapped_column(
        ForeignKey("deletion.id", ondelete="CASCADE"), primary_key=True, info=technical("of which deletion", DELETION)
    )
    name: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("which step", DELETION))
    position: Mapped[int] = mapped_column(Integer, info=technical("order", DELETION))
    state: Mapped[str] = mapped_column(CODE, info=technical("waiting, running, failed or done", DELETION))
    count: Mapped[int] = mapped_column(BigInteger, default=0, info=technical("removed so far", DELETION))
    done_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("when", DELETION))


class Receipt(ControlBase):
    """The signed receipt of a deletion, as it is given out. It names nobody."""

    __tablename__ = "receipt"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", Retention.RECEIPT))
    document: Mapped[str] = mapped_column(Text, info=technical("what was deleted, counted", Retention.RECEIPT))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.RECEIPT))
