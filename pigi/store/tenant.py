"""Tables of an organisation's own database (promise P16). Whatever people write is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Disclosure
from pigi.domain.retention import Retention
from pigi.store.base import TenantBase, content, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)


class Generation(TenantBase):
    """One asking for a draft. ``purpose`` goes when the job ends (P15); ``fence`` is the attempt that wrote last."""

    __tablename__ = "generation"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the generation", Retention.DRAFT))
    job_id: Mapped[str] = mapped_column(ID, index=True, info=technical("which job", Retention.DRAFT))
    resource: Mapped[str] = mapped_column(CODE, info=technical("kind of resource", Retention.DRAFT))
    name: Mapped[bytes] = mapped_column(LargeBinary, info=content("the resource's name, sealed", Retention.DRAFT))
    purpose: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=content("what to draft, sealed", Retention.PURPOSE, Disclosure.WITHHELD)
    )
    answer: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=content("the model's last answer, sealed", Retention.PURPOSE, Disclosure.WITHHELD)
    )
    turns: Mapped[int] = mapped_column(Integer, default=0, info=technical("answers so far", Retention.DRAFT))
    draft: Mapped[bytes | None] = mapped_column(LargeBinary, info=content("the draft, sealed", Retention.DRAFT))
    findings: Mapped[str | None] = mapped_column(
        String(4000), info=technical("codes of the rules that the draft broke", Retention.DRAFT)
    )
    instruction: Mapped[str | None] = mapped_column(CODE, info=technical("version of the instruction", Retention.DRAFT))
    model: Mapped[str | None] = mapped_column(String(80), info=technical("which model", Retention.DRAFT))
    input_tokens: Mapped[int] = mapped_column(Integer, default=0, info=technical("cost", Retention.DRAFT))
    output_tokens: Mapped[int] = mapped_column(Integer, default=0, info=technical("cost", Retention.DRAFT))
    fence: Mapped[int] = mapped_column(Integer, default=0, info=technical("fencing", Retention.DRAFT))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.DRAFT))
    drafted_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("age", Retention.DRAFT))


class LiveText(TenantBase):
    """A piece of a draft while it streams; gone when the job ends."""

    __tablename__ = "live_text"

    generation_id: Mapped[str] = mapped_column(
        ForeignKey("generation.id", ondelete="CASCADE"),
        primary_key=True,
        info=technical("which generation", Retention.PURPOSE),
    )
    position: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical("order", Retention.PURPOSE))
    turn: Mapped[int] = mapped_column(Integer, info=technical("which turn of which attempt", Retention.PURPOSE))
    text: Mapped[bytes] = mapped_column(
        LargeBinary, info=content("text as it streams, sealed", Retention.PURPOSE, Disclosure.WITHHELD)
    )
