"""Table of the control database about promises: what probes found, what somebody answers for, what was told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, label, technical
from pigi.store.instants import Instant
from pigi.store.ledgers import SERIAL

CODE = String(40)
CONTROL = String(80)
EVIDENCE, OPERATIONAL = Retention.EVIDENCE, Retention.OPERATIONAL


class EvidenceRow(ControlBase):
    """What a control's probe found, from the first check of a day that found so to the last; or somebody's word."""

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_control", "control", "id"),)

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True, info=technical("names it", EVIDENCE))
    control: Mapped[str] = mapped_column(CONTROL, info=technical("which control", EVIDENCE))
    outcome: Mapped[str] = mapped_column(CODE, info=technical("holding, failing or attested", EVIDENCE))
    found: Mapped[str] = mapped_column(Text, info=label("what was looked at, or somebody's word", EVIDENCE))
    began_at: Mapped[datetime] = mapped_column(Instant, info=technical("the first check that found so", EVIDENCE))
    checked_at: Mapped[datetime] = mapped_column(Instant, info=technical("the last check that found so", EVIDENCE))
    valid_until: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("until when it counts", EVIDENCE))
    trouble: Mapped[str | None] = mapped_column(
        String(120), info=technical("why later checks came to no finding: a class of error", EVIDENCE)
    )


class PromiseAlarm(ControlBase):
    """What operators were told last of a promise, and what they will be told if it goes on. A row a promise."""

    __tablename__ = "promise_alarm"

    promise: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("which promise", OPERATIONAL))
    told: Mapped[str] = mapped_column(CODE, info=technical("fine, failing or stale", OPERATIONAL))
    told_at: Mapped[datetime] = mapped_column(Instant, info=technical("when", OPERATIONAL))
    batch: Mapped[str] = mapped_column(CODE, index=True, info=technical("in which mail", OPERATIONAL))
    seen: Mapped[str | None] = mapped_column(CODE, info=technical("how it stands since", OPERATIONAL))
    seen_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("since when", OPERATIONAL))


NEWEST = select(func.max(EvidenceRow.id)).group_by(EvidenceRow.control).scalar_subquery()
"""The newest row of each control."""
