"""What may be held about a person, for people: each sort of records that leads to one, for what, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pigi.privacy.inventory import period_words
from pigi.privacy.leads import CONTROL_LEADS, TENANT_LEADS
from pigi.privacy.record import processing_record
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from pigi.domain.privacy import ColumnFacts
    from pigi.domain.retention import Retention


@dataclass(frozen=True)
class Held:
    """Records of one sort: what a reader calls them, the activity that they serve (name, title), and until when."""

    title: str
    activity: str
    why: str
    kept: str


@cache
def held_about_people() -> tuple[Held, ...]:
    """Each sort of records that an access export may show, in the order of the record of processing."""
    found = [
        (led.title, _class_of(name, where))
        for where, leads in ((CONTROL, CONTROL_LEADS), (TENANT, TENANT_LEADS))
        for name, led in leads.items()
    ]
    return tuple(
        Held(title, record.activity.name, record.activity.title, period_words(retention))
        for record in processing_record()
        for title, retention in found
        if retention in record.activity.classes
    )


def _class_of(name: str, where: MetaData) -> Retention:
    facts: ColumnFacts = next(iter(where.tables[name].columns)).info["facts"]
    return facts.retention
