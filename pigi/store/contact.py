"""Table of the control database of messages to whoever runs Pigi."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Recipient
from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, contact, pseudonym, technical, told
from pigi.store.instants import Instant
from pigi.store.people import CODE, ID

TICKET = Retention.TICKET
SENDER, MESSAGE, ANSWER = "ticket sender", "ticket message", "ticket answer"
"""The uses for which the keyring seals the columns."""


class Ticket(ControlBase):
    """A message to whoever runs Pigi, its answer, and how far it is.

    Who wrote, what, and what was answered is sealed by the keyring. ``account_id`` is whoever was signed in; that an
    address which was typed is an account's is only looked up for that person's own copy and deletion.
    """

    __tablename__ = "ticket"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", TICKET))
    number: Mapped[str] = mapped_column(
        String(20), unique=True, info=technical("by which whoever wrote it asks how far it is", TICKET)
    )
    kind: Mapped[str] = mapped_column(CODE, info=technical("whom it is for", TICKET))
    state: Mapped[str] = mapped_column(CODE, index=True, info=technical("how far it is", TICKET))
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=pseudonym("who wrote it", TICKET)
    )
    sender: Mapped[bytes] = mapped_column(
        LargeBinary, info=contact("name and address that the answer goes to, sealed", TICKET, (Recipient.MAIL,))
    )
    message: Mapped[bytes] = mapped_column(LargeBinary, info=told("what they wrote, sealed", TICKET))
    answer: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=told("what was answered, sealed", TICKET, (Recipient.MAIL,))
    )
    received_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when it came", TICKET))
    due_at: Mapped[datetime] = mapped_column(Instant, info=technical("by when it is to be answered (P12)", TICKET))
    answered_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("when it was answered", TICKET))
    closed_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("when it was closed", TICKET))
