"""How the promises stand: what is known of each control, and what follows for its promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pigi.clock import now
from pigi.domain.controls import Evidence, Outcome, State
from pigi.domain.promises import PROMISES
from pigi.domain.promises_document import weakest
from pigi.operations.promises.catalogue import all_controls
from pigi.operations.promises.evidence import newest_rows

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.controls import Control

AHEAD = timedelta(minutes=1)
"""By how much the clocks of two machines may differ."""
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
    """All promises in the order of their IDs. It costs what there are controls.

    In production somebody is asked to answer for what no probe can see, and until somebody does, that is stale. In
    development there are no people to answer to: an attested control counts there from its first attestation on.
    """
    moment, found = now(), newest_rows(application)
    asked = application.settings.production
    standings = [
        standing_of(control, found.get(control.name), moment)
        for control in all_controls().values()
        if asked or control.kind is not Evidence.ATTESTED or control.name in found
    ]
    return [
        PromiseStanding(promise, title, weakest(standing.state for standing in own), own)
        for promise, title in PROMISES.items()
        for own in [tuple(standing for standing in standings if standing.control.promise == promise)]
    ]


def standing_of(control: Control, row: Any, moment: datetime) -> ControlStanding:
    """How a control stands at a moment, by its newest row of evidence; None if there is none."""
    attested = control.kind is Evidence.ATTESTED
    if row is None:
        return ControlStanding(control, State.STALE, NOBODY if attested else NEVER)
    # A clock that was ahead once must not make what was found then count for ever.
    counts = row.checked_at - AHEAD <= moment < row.valid_until and row.outcome in set(State)
    state = State(row.outcome) if counts else State.STALE
    # A violation that was seen stays one until a probe sees that it is mended.
    if row.outcome == Outcome.FAILING:
        state = State.FAILING
    said = f"An operator states: {row.found}" if attested and state is State.ATTESTED else row.found
    evidence = (NOBODY if state is State.STALE else said) if attested else said or NEVER
    checked = None if row.outcome == Outcome.NOTHING else row.checked_at
    return ControlStanding(control, state, evidence, checked, row.valid_until, row.began_at, row.trouble)
