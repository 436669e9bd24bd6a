"""The record of processing activities (GDPR article 30), drawn up from the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from pigi.domain.privacy import Subject
from pigi.domain.recipients import RecipientFacts, recipients_here
from pigi.domain.retention import PERIODS
from pigi.privacy.activities import ACTIVITIES, SAFEGUARDS
from pigi.privacy.inventory import inventory, period_words
from pigi.privacy.places import STORES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pigi.domain.privacy import Recipient
    from pigi.domain.retention import Retention
    from pigi.privacy.activities import Activity
    from pigi.privacy.places import Place, Store

__all__ = ["SAFEGUARDS", "ActivityRecord", "Holding", "PeriodLine", "RecipientFacts", "processing_record"]


@dataclass(frozen=True)
class PeriodLine:
    """How long a class of records is kept, and why."""

    retention: Retention
    kept: str
    reason: str


@dataclass(frozen=True)
class Holding:
    """What one table, folder or provider holds for an activity."""

    store: str
    name: str
    holds: tuple[str, ...]
    kept: str


@dataclass(frozen=True)
class ActivityRecord:
    """One purpose of processing: what of whom is processed for it, as what, who else gets it, and for how long."""

    activity: Activity
    roles: tuple[str, ...]
    bases: tuple[str, ...]
    subjects: tuple[str, ...]
    categories: tuple[str, ...]
    recipients: tuple[RecipientFacts, ...]
    periods: tuple[PeriodLine, ...]
    places: tuple[Place, ...]

    @property
    def holdings(self) -> list[Holding]:
        """The places for people: a table at a time instead of a column."""
        tables = groupby(self.places, lambda place: (place.store, place.name.split(".")[1]))
        return [_holding(store, name, list(places)) for (store, name), places in tables]


def _holding(store: Store, name: str, places: list[Place]) -> Holding:
    periods = dict.fromkeys(place.kept or period_words(place.retention) for place in places)
    return Holding(STORES[store], name.replace("_", " "), tuple(place.holds for place in places), "; ".join(periods))


@cache
def processing_record(fonts: str = "bunny") -> tuple[ActivityRecord, ...]:
    """Every activity with its places, each place in exactly one; who gets data is as PIGI_FONTS has it."""
    return tuple(_record(activity, recipients_here(fonts)) for activity in ACTIVITIES)


def _record(activity: Activity, here: Mapping[Recipient, RecipientFacts]) -> ActivityRecord:
    places = tuple(place for place in inventory() if place.retention in activity.classes)
    recipients = {recipient for place in places for recipient in place.recipients}
    return ActivityRecord(
        activity,
        _distinct(places, lambda place: place.role.value),
        _distinct(places, lambda place: place.basis.value),
        _distinct(
            (place for place in places if place.subject is not Subject.NOBODY), lambda place: place.subject.value
        ),
        _distinct(places, lambda place: place.category.value),
        tuple(facts for recipient, facts in here.items() if recipient in recipients),
        tuple(PeriodLine(found, period_words(found), PERIODS[found].reason) for found in activity.classes),
        places,
    )


def _distinct(places: Iterable[Place], fact: Callable[[Place], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact(place) for place in places))
