"""Checking controls: each probe by itself, what it found into the evidence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.controls import SHOWS_WITHIN, Evidence, Outcome
from pigi.jobs.model.claim import JobInterrupt
from pigi.logs import places_of
from pigi.operations.promises.catalogue import controls_of
from pigi.operations.promises.evidence import keep, note_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pigi.application import Application
    from pigi.domain.controls import Control, Finding
    from pigi.jobs.execution.context import JobContext

logger = logging.getLogger(__name__)


def check_group(context: JobContext, application: Application, group: str) -> None:
    """Check the controls of a group, as a job."""
    for control in controls_of(group):
        context.checkpoint()
        check(application, control)


def check_controls(application: Application, controls: Iterable[Control]) -> dict[str, Outcome | None]:
    """Check these now: what came of each, None where its probe came to no finding. What is attested has no probe."""
    return {control.name: check(application, control) for control in controls if control.kind is not Evidence.ATTESTED}


def check(application: Application, control: Control) -> Outcome | None:
    """Carry out a control's probe and keep what it found; None if it came to no finding, which is kept, too.

    A probe that fails is not evidence against the promise, and none for it: what was found before goes stale.
    """
    try:
        finding = control.carry_out(application)
    except JobInterrupt:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other probes are carried out
        logger.warning("%s: no finding (%s at %s)", control.name, type(error).__name__, places_of(error))
        note_trouble(application, control.name, type(error).__name__)
        return None
    return _keep(application, control, finding)


def _keep(application: Application, control: Control, finding: Finding) -> Outcome:
    outcome = Outcome.HOLDING if finding.holds else Outcome.FAILING
    until = now() + control.valid
    if finding.as_of is not None:
        until = min(until, finding.as_of + SHOWS_WITHIN)
    before = keep(application, control.name, outcome, finding.evidence, until)
    if before != outcome and (before is not None or not finding.holds):
        level = logging.INFO if finding.holds else logging.ERROR
        logger.log(level, "%s, promise %s: %s", control.name, control.promise, outcome)
    return outcome
