"""The list of recipients with its counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.privacy import Recipient
from pigi.domain.recipients import INFRASTRUCTURE, recipients_here
from pigi.store.egress import EGRESS

if TYPE_CHECKING:
    from pigi.application import Application

COUNTED = timedelta(days=1)
"""The page counts today and the day before (UTC), since counts are by day."""


@dataclass(frozen=True)
class RecipientLine:
    """One recipient.

    Attributes:
        name: permanent.
        title, gets, why: what people are told.
        third_party: somebody else, as opposed to what this installation runs on.
        connections: begun today and yesterday, as far as they can be counted; None where they cannot: browsers and
            libraries outside Python connect by themselves.
    """

    name: str
    title: str
    gets: str
    why: str
    third_party: bool
    connections: int | None


UNSEEN = frozenset({Recipient.BUNNY.value, "database", "files"})
"""Connections of browsers, of libpq and of the store's client: no guard sees them, and their addresses are settings."""


def list_recipients(application: Application) -> list[RecipientLine]:
    """Third parties first, each with the connections of the last day."""
    counts = connections_since(application, now() - COUNTED)
    here = recipients_here(application.settings.fonts)
    others = [(who.value, facts.title, facts.gets, facts.why, True) for who, facts in here.items()]
    own = [(name, facts.title, facts.gets, facts.why, False) for name, facts in INFRASTRUCTURE.items()]
    return [
        RecipientLine(name, title, gets, why, third, None if name in UNSEEN else counts.get(name, 0))
        for name, title, gets, why, third in [*others, *own]
    ]


def connections_since(application: Application, moment: datetime) -> dict[str, int]:
    """Connections begun by recipient, of whole days from the moment's on."""
    query = (
        select(EGRESS.c.recipient, func.sum(EGRESS.c.connections).label("connections"))
        .where(EGRESS.c.day >= moment.date(), EGRESS.c.outcome == "begun")
        .group_by(EGRESS.c.recipient)
    )
    with application.control.autocommit() as connection:
        return {row.recipient: int(row.connections) for row in connection.execute(query)}


def refused_since(application: Application, moment: datetime) -> int:
    """Connections that were refused, of days whose last was after the moment."""
    query = select(func.coalesce(func.sum(EGRESS.c.connections), 0))
    with application.control.autocommit() as connection:
        return int(
            connection.execute(query.where(EGRESS.c.outcome == "refused", EGRESS.c.last_at > moment)).scalar_one()
        )
