"""Tables of the control database about the privacy policy: its published versions, and who was told of which."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, pseudonym, technical
from pigi.store.instants import Instant
from pigi.store.people import CODE, ID

POLICY = Retention.POLICY
NOTICE = Retention.NOTICE


class PolicyVersion(ControlBase):
    """A version of the policy as it was published; nothing of it ever changes but ``announced_at``."""

    __tablename__ = "policy_version"

    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=technical("counts versions", POLICY)
    )
    text: Mapped[str] = mapped_column(Text, info=technical("its sections and sentences, in JSON", POLICY))
    digest: Mapped[str] = mapped_column(String(64), info=technical("that the text is as it was published", POLICY))
    change: Mapped[str] = mapped_column(CODE, info=technical("first, wording or material", POLICY))
    changes: Mapped[str] = mapped_column(Text, info=technical("what changed and why it counts, in JSON", POLICY))
    facts: Mapped[str] = mapped_column(Text, info=technical("what the code did with data then, in JSON", POLICY))
    shipped: Mapped[str] = mapped_column(
        String(64), info=technical("the digest of the text that the release brought", POLICY)
    )
    published_at: Mapped[datetime] = mapped_column(Instant, info=technical("when", POLICY))
    effective_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("from when it counts", POLICY))
    published_by: Mapped[str] = mapped_column(String(80), info=pseudonym("which operator published it", POLICY))
    announced_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("when the mail to the last person was asked for", POLICY)
    )


class PolicyNotice(ControlBase):
    """One mail to one person about one version. It outlives the mail's own record, to show that they were told."""

    __tablename__ = "policy_notice"

    version: Mapped[int] = mapped_column(
        ForeignKey("policy_version.number"), primary_key=True, info=technical("of which version", NOTICE)
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=pseudonym("who was told", NOTICE)
    )
    mail_id: Mapped[str] = mapped_column(ID, unique=True, info=technical("by which mail", NOTICE))
    state: Mapped[str] = mapped_column(CODE, info=technical("queued, sent, unknown or failed", NOTICE))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when it was asked for", NOTICE))
    ended_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("outcome", NOTICE))
