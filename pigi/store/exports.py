"""The table of exports: what waits for whom, how far its file is written, and until when it lies there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, pseudonym, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
READY = text("state = 'ready'")
RECORD = Retention.EXPORT_RECORD


class Export(ControlBase):
    """An export of an organisation (configuration) or of a person (access); the file is in the files store, in parts.

    ``sizes`` lists the parts that are written, as ``ATTEMPT:BYTES`` parted by commas; ``cursor`` is where to go on,
    and empty once nobody need. Authors are in it as digests, which lead to nobody.
    """

    __tablename__ = "export"
    __table_args__ = (Index("ix_export_expires_at", "expires_at", sqlite_where=READY, postgresql_where=READY),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", RECORD))
    scope: Mapped[str] = mapped_column(CODE, info=technical("configuration or access", RECORD))
    organisation_id: Mapped[str | None] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("of which organisation", RECORD)
    )
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=pseudonym("of which person", RECORD)
    )
    job_id: Mapped[str] = mapped_column(ID, info=technical("which job writes it", RECORD))
    requested_by: Mapped[str] = mapped_column(String(80), info=pseudonym("who requested it", RECORD))
    state: Mapped[str] = mapped_column(CODE, info=technical("preparing, ready, failed or expired", RECORD))
    bytes: Mapped[int | None] = mapped_column(BigInteger, info=technical("size of the file", RECORD))
    sha256: Mapped[str | None] = mapped_column(String(64), info=technical("whether the file is whole", RECORD))
    sizes: Mapped[str] = mapped_column(Text, default="", info=technical("sizes of the parts", Retention.EXPORT))
    cursor: Mapped[str] = mapped_column(Text, default="", info=technical("where to go on", Retention.EXPORT))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", RECORD))
    expires_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("until when the file lies", RECORD))
