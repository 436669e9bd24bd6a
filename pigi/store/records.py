"""Tables of the control database about keeping: legal holds, and the backups that there are."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, label, pseudonym, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
HOLD = Retention.HOLD
BACKUP = Retention.BACKUP


class Hold(ControlBase):
    """A legal hold: rows of one class that belong to one organisation are kept beyond their period.

    It counts from its approval by a second operator to its release.
    """

    __tablename__ = "hold"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", HOLD))
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("of whom", HOLD)
    )
    retention: Mapped[str] = mapped_column(CODE, info=technical("which class", HOLD))
    reason: Mapped[str] = mapped_column(Text, info=label("why, in an operator's words", HOLD))
    review_on: Mapped[date] = mapped_column(Date, info=technical("when to look again", HOLD))
    added_by: Mapped[str] = mapped_column(String(80), info=pseudonym("which operator asked", HOLD))
    added_at: Mapped[datetime] = mapped_column(Instant, info=technical("when", HOLD))
    approved_by: Mapped[str | None] = mapped_column(String(80), info=pseudonym("which other operator agreed", HOLD))
    approved_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("since when it counts", HOLD))
    released_by: Mapped[str | None] = mapped_column(String(80), info=pseudonym("which operator ended it", HOLD))
    released_at: Mapped[datetime | None] = mapped_column(Instant, index=True, info=technical("its end", HOLD))


class Backup(ControlBase):
    """A backup that was made; its file lies where BACKUPS_URL says, encrypted for a key that Pigi does not hold."""

    __tablename__ = "backup"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", BACKUP))
    name: Mapped[str] = mapped_column(String(255), info=technical("its name in the store of backups", BACKUP))
    organisations: Mapped[int] = mapped_column(Integer, info=technical("how many are in it", BACKUP))
    bytes: Mapped[int] = mapped_column(BigInteger, info=technical("size", BACKUP))
    made_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", BACKUP))
    removed_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("when it was removed", BACKUP))
