"""Attestations: an operator answers for what no probe can see, until a day; and takes that back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from pigi.clock import now
from pigi.domain.controls import Evidence, Outcome
from pigi.errors import Refused
from pigi.operations.audit import record
from pigi.operations.promises.catalogue import all_controls
from pigi.operations.promises.evidence import EVIDENCE, newest_rows
from pigi.operations.promises.standing import standing_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.domain.controls import Control
    from pigi.operations.promises.standing import ControlStanding
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

LONGEST = timedelta(days=366)
"""For how long somebody can answer for something: what nobody has thought about for a year, nobody answers for."""
STATEMENT_LENGTH = 500


def _ignore(_session: ControlSession) -> None:
    """For a command, which owes nobody a record."""


def list_attestations(application: Application) -> list[ControlStanding]:
    """Every attested control, whether or not somebody answers for it."""
    moment, found = now(), newest_rows(application)
    return [
        standing_of(control, found.get(control.name), moment)
        for control in all_controls().values()
        if control.kind is Evidence.ATTESTED
    ]


def attest(  # noqa: PLR0913 - an attestation's facts, each named at the call
    application: Application, operator: str, name: str, statement: str, until: date, on_done: OnDone = _ignore
) -> ControlStanding:
    """Answer for a control, as ``operator:ID``, to the end of a day in UTC; in place of what was attested before.

    The statement is public, and who made it is not: that the audit log says. Raises Refused: ``not_found`` for what is
    no attested control, ``attestation_period`` for a day that is over or more than a year away.
    """
    control, moment = _attested(name), now()
    over = datetime.combine(until, time(0), UTC) + timedelta(days=1)
    if not moment < over <= moment + LONGEST + timedelta(days=1):
        raise Refused("attestation_period")
    _keep(application, control, Outcome.ATTESTED, statement, over, operator, "promise.attested", on_done)
    return _standing(application, control)


def withdraw_attestation(
    application: Application, operator: str, name: str, on_done: OnDone = _ignore
) -> ControlStanding:
    """Take back what somebody answers for. Raises Refused ``not_found`` where nobody does."""
    control = _attested(name)
    row = newest_rows(application).get(name)
    if row is None or row.outcome != Outcome.ATTESTED:
        raise Refused("not_found")
    _keep(application, control, Outcome.WITHDRAWN, "", now(), operator, "promise.attestation_withdrawn", on_done)
    return _standing(application, control)


def _attested(name: str) -> Control:
    control = all_controls().get(name)
    if control is None or control.kind is not Evidence.ATTESTED:
        raise Refused("not_found")
    return control


def _keep(  # noqa: PLR0913 - an entry's facts, each named at the call
    application: Application,
    control: Control,
    outcome: Outcome,
    found: str,
    until: datetime,
    operator: str,
    act: str,
    on_done: OnDone,
) -> None:
    moment = now()
    row = {"control": control.name, "outcome": outcome.value, "found": found}
    times = {"began_at": moment, "checked_at": moment, "valid_until": until}
    with application.control.begin() as session:
        session.connection().execute(insert(EVIDENCE).values(**row, **times))
        record(session, application, act, operator, None, None, control=control.name)
        on_done(session)


def _standing(application: Application, control: Control) -> ControlStanding:
    return standing_of(control, newest_rows(application).get(control.name), now())
