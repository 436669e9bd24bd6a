"""How the promises stand: what is known of each control, and what follows for its promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.controls import Evidence, Outcome, State
from pigi.domain.promises import PROMISES
from pigi.operations.promises.catalogue import all_controls
from pigi.store.promises import NEWEST, EvidenceRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.controls import Control

EVIDENCE = EvidenceRow.__table__
NEVER = "Not checked yet."
NOBODY = "Nobody answers for it at present."


@dataclass(frozen=True)
class ControlStanding:
    """What is known of a control.

    Attributes:
        control: which.
        state: a finding that is no longer valid is stale, whatever it said.
        evidence: what was looked at when it was last checked.
        checked_at: when that was; None if never.
        valid_until: until when it counts.
        since: since when it was found so; of a control that holds for days the beginning of the day.
        trouble: the class of error that kept later checks from a finding.
    """

    control: Control
    state: State
    evidence: str
    checked_at: datetime | None = None
    valid_until: datetime | None = None
    since: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class PromiseStanding:
    """What follows for a promise; it was checked when the control that was longest not looked at was."""

    id: str
    title: str
    state: State
    controls: tuple[ControlStanding, ...]

    @property
    def checked_at(self) -> datetime | None:
        """When its controls were last looked at, all of them; None if one never was."""
        moments = [standing.checked_at for standing in self.controls]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None

    @property
    def valid_until(self) -> datetime | None:
        """Until when that counts."""
        moments = [standing.valid_until for standing in self.controls]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None


def promises_standing(application: Application) -> list[PromiseStanding]:
    """All promises in the order of their IDs. It costs what there are controls."""
    moment = now()
    with application.control.autocommit() as connection:
        found = {row.control: row for row in connection.execute(select(EVIDENCE).where(EVIDENCE.c.id.in_(NEWEST)))}
    standings = [_of_control(control, found.get(control.name), moment) for control in all_controls().values()]
    return [
        PromiseStanding(promise, title, _together(own), own)
        for promise, title in PROMISES.items()
        for own in [tuple(standing for standing in standings if standing.control.promise == promise)]
    ]


def _of_control(control: Control, row: Any, moment: datetime) -> ControlStanding:
    if row is None:
        return ControlStanding(control, State.STALE, NOBODY if control.kind is Evidence.ATTESTED else NEVER)
    state = State(row.outcome) if row.valid_until > moment else State.STALE
    # A violation that was seen stays one until a probe sees that it is mended.
    if row.outcome == Outcome.FAILING:
        state = State.FAILING
    return ControlStanding(control, state, row.found, row.checked_at, row.valid_until, row.began_at, row.trouble)


def _together(standings: Iterable[ControlStanding]) -> State:
    """The worst of them; without a control nothing is known, which is stale."""
    states = {standing.state for standing in standings}
    for state in (State.FAILING, State.STALE, State.HOLDING, State.ATTESTED):
        if state in states:
            return state
    return State.STALE
