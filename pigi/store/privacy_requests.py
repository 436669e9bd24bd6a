"""Table of the control database of what people ask about their data."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Recipient
from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, contact, pseudonym, technical, told
from pigi.store.instants import Instant
from pigi.store.people import ADDRESS, CODE, ID

REQUEST = Retention.PRIVACY_REQUEST


class PrivacyRequest(ControlBase):
    """What somebody asked under the GDPR, by when it must be answered, and the answer.

    Of a person who has an account it names the account; of anybody else an operator entered the address. With the
    account its requests go, too: the receipt of the deletion then answers for them.
    """

    __tablename__ = "privacy_request"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names it", REQUEST))
    type: Mapped[str] = mapped_column(CODE, info=technical("which right", REQUEST))
    state: Mapped[str] = mapped_column(CODE, index=True, info=technical("how far it is", REQUEST))
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=pseudonym("who asked", REQUEST)
    )
    email: Mapped[str | None] = mapped_column(
        ADDRESS, info=contact("where the answer goes, of somebody without an account", REQUEST, (Recipient.MAIL,))
    )
    email_key: Mapped[str | None] = mapped_column(ADDRESS, index=True, info=contact("who asked", REQUEST))
    detail: Mapped[str | None] = mapped_column(Text, info=told("what they wrote", REQUEST))
    received_at: Mapped[datetime] = mapped_column(Instant, info=technical("when it came", REQUEST))
    due_at: Mapped[datetime] = mapped_column(
        Instant, index=True, info=technical("by when it must be answered (article 12(3))", REQUEST)
    )
    extended_until: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("by when instead, if it takes longer", REQUEST)
    )
    extension_reason: Mapped[str | None] = mapped_column(
        Text, info=told("why it takes longer", REQUEST, (Recipient.MAIL,))
    )
    answer: Mapped[str | None] = mapped_column(Text, info=told("what was answered", REQUEST, (Recipient.MAIL,)))
    answered_at: Mapped[datetime | None] = mapped_column(Instant, index=True, info=technical("when", REQUEST))
    entered_by: Mapped[str | None] = mapped_column(
        String(80), info=pseudonym("which operator entered what came by mail", REQUEST)
    )
