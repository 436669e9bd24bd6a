"""Checking controls: each probe by itself, what it found into the evidence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from pigi.clock import now
from pigi.domain.controls import EVERY, Evidence, Finding, Outcome
from pigi.jobs.model.claim import JobInterrupt
from pigi.logs import places_of
from pigi.operations.promises.catalogue import controls_of
from pigi.store.promises import EvidenceRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.controls import Control
    from pigi.jobs.execution.context import JobContext

logger = logging.getLogger(__name__)
EVIDENCE: Any = EvidenceRow.__table__


def check_group(context: JobContext, application: Application, group: str) -> None:
    """Check those controls of a group that are due, as a job."""
    for control in controls_of(group):
        context.checkpoint()
        if _is_due(application, control):
            check(application, control)


def _is_due(application: Application, control: Control) -> bool:
    """Whether it is time again; what failed, and what came to no finding, is checked each time."""
    if control.every <= EVERY:
        return True
    newest = select(func.max(EVIDENCE.c.id)).where(EVIDENCE.c.control == control.name).scalar_subquery()
    query = select(EVIDENCE.c.outcome, EVIDENCE.c.trouble, EVIDENCE.c.checked_at).where(EVIDENCE.c.id == newest)
    with application.control.autocommit() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.outcome != Outcome.HOLDING or row.trouble is not None:
        return True
    return bool(row.checked_at + control.every <= now())


def check_controls(application: Application, controls: Iterable[Control]) -> dict[str, Outcome | None]:
    """Check these now: what came of each, None where its probe came to no finding."""
    return {control.name: check(application, control) for control in controls if control.kind is not Evidence.ATTESTED}


def check(application: Application, control: Control) -> Outcome | None:
    """Carry out a control's probe and keep what it found; None if it came to no finding, which is kept, too.

    A probe that fails is not evidence against the promise, and none for it: what was found before goes stale.
    """
    if control.kind is Evidence.ATTESTED:
        return None
    try:
        finding = control.carry_out(application)
    except JobInterrupt:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other probes are carried out
        logger.warning("%s: no finding (%s at %s)", control.name, type(error).__name__, places_of(error))
        _note_trouble(application, control, type(error).__name__)
        return None
    return _keep(application, control, finding)


def _keep(application: Application, control: Control, finding: Finding) -> Outcome:
    """Prolong the newest row if it says the same and is of today, else begin one: so rows stay few."""
    moment = now()
    outcome = Outcome.HOLDING if finding.holds else Outcome.FAILING
    with application.control.transaction() as connection:
        newest = _newest(connection, control)
        values = {
            "found": finding.evidence,
            "checked_at": moment,
            "valid_until": moment + control.valid,
            "trouble": None,
        }
        before = None if newest is None else newest[1]
        if newest is not None and before == outcome and newest[2].date() == moment.date():
            connection.execute(update(EVIDENCE).where(EVIDENCE.c.id == newest[0]).values(values))
        else:
            row = {"control": control.name, "outcome": outcome.value, "began_at": moment, **values}
            connection.execute(insert(EVIDENCE).values(row))
    if before is not None and before != outcome:
        level = logging.INFO if finding.holds else logging.ERROR
        logger.log(level, "%s, promise %s: %s", control.name, control.promise, outcome)
    return outcome


def _newest(connection: Connection, control: Control) -> tuple[int, str, datetime] | None:
    newest = select(func.max(EVIDENCE.c.id)).where(EVIDENCE.c.control == control.name).scalar_subquery()
    query = select(EVIDENCE.c.id, EVIDENCE.c.outcome, EVIDENCE.c.began_at).where(EVIDENCE.c.id == newest)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.outcome, row.began_at)


def _note_trouble(application: Application, control: Control, trouble: str) -> None:
    with application.control.transaction() as connection:
        newest = _newest(connection, control)
        if newest is not None:
            connection.execute(update(EVIDENCE).where(EVIDENCE.c.id == newest[0]).values(trouble=trouble[:120]))
