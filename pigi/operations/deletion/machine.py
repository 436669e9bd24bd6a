"""The machine of deletions: from the end of the grace to the receipt, whatever is deleted and wherever a worker died.

Each state is written before what it allows is done, so an attempt that comes after a death goes on where it stood. What
differs between organisations and accounts is in their `Plan`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, update

from pigi.clock import now
from pigi.domain.canary import NAME as CANARY
from pigi.domain.deletions import SEARCH, DeletionScope, DeletionState, StepState
from pigi.errors import Temporary
from pigi.ids import new_id
from pigi.operations.deletion.letters import queue_receipts
from pigi.operations.deletion.receipts import issue_receipt
from pigi.operations.deletion.records import DELETION, STEP, move, row_of
from pigi.operations.deletion.steps import Outside, Rows, Together, Work, mark_failed, run_steps
from pigi.privacy.search import SearchTerms, search
from pigi.store.deletions import RECIPIENTS, TERMS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.deletion.steps import Step
    from pigi.ports import Gateways
    from pigi.privacy.search import Looked
    from pigi.store.sessions import ControlSession


@dataclass(frozen=True)
class Sealing:
    """What must be known once nothing else knows it: whom to send the receipt, and what the final search looks for.

    ``recipients`` are addresses by a random id each. ``identifiers`` are those of what hung on the subject,
    ``organisations`` those in whose databases an account may have left traces.
    """

    recipients: dict[str, str] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How one scope is deleted.

    Attributes:
        scope: of what.
        steps: in the order in which they are done.
        seal: in the transaction of the seal, makes sure that there is no way back; None if it must not be (yet).
        is_quiet: whether nothing is at work for the subject any more, so that steps may begin.
    """

    scope: DeletionScope
    steps: tuple[Step, ...]
    seal: Callable[[ControlSession, Application, Any], Sealing | None]
    is_quiet: Callable[[Connection, str], bool]


def carry_out(context: JobContext, application: Application, gateways: Gateways, plan: Plan) -> None:
    """Bring the deletion that the job is about as far as it goes; one that was undone, or is held, is left alone.

    Raises:
        Temporary: ``deletion_waiting`` while something is at work for it, ``deletion_left_over`` if the final search
            found something; and as the steps.
        Permanent: as the steps.
    """
    row = _sealed(application, context.subject_id, plan)
    if row is None:
        return
    if row.state in {DeletionState.SEALED, DeletionState.PURGING}:
        identifiers = tuple(_open(application, TERMS, row.id, row.terms)[2])
        work = Work(row.id, row.subject_id, context, application, gateways, identifiers, row.requested_by == CANARY)
        _begin(work, plan)
        run_steps(work, plan.steps)
        _begin_search(work)
    if row.state != DeletionState.DONE:
        _finish(Work(row.id, "", context, application, gateways), plan)


class _Alone:
    """In place of a job's context, where no job is at work: nothing stops it."""

    def checkpoint(self) -> None:
        """Go on."""


def erase_again(application: Application, plan: Plan, subject_id: str, outside: Container[str] = ()) -> None:
    """Remove once more what came back with a backup though it was deleted for good.

    For databases that nobody is served with yet, and that are thrown away if this fails. Of the steps that remove
    elsewhere only those called ``outside`` are done: the others removed what is in no backup.
    """
    alone: Any = _Alone()
    work = Work(new_id(), subject_id, alone, application, alone)
    with application.control.transaction() as connection:
        connection.execute(delete(DELETION).where(DELETION.c.subject_id == subject_id))
    for step in plan.steps:
        if isinstance(step, Rows):
            with application.control.transaction() as connection:
                for table, rows in step.of(subject_id):
                    connection.execute(delete(table).where(rows))
        elif isinstance(step, Together):
            with application.control.begin() as session:
                step.remove(session, work)
        elif isinstance(step, Outside) and step.name in outside:
            step.remove(work)


def _sealed(application: Application, deletion_id: str, plan: Plan) -> Any:
    """The deletion's row behind the point of no return; None if it has not passed it."""
    with application.control.begin() as session:
        row = row_of(session.connection(), deletion_id)
        if row is None or row.scope != plan.scope or row.state != DeletionState.GRACE:
            return row if row is not None and row.scope == plan.scope else None
        if row.restorable_until > now():
            return None
        sealing = plan.seal(session, application, row)
        if sealing is None:
            return None
        values = {
            "recipients": _seal(application, RECIPIENTS, row.id, sealing.recipients),
            "sealed_at": now(),
            "terms": _seal(
                application,
                TERMS,
                row.id,
                [row.scope, row.subject_id, sealing.identifiers, sealing.organisations],
            ),
        }
        move(session.connection(), row.id, DeletionState.SEALED, **values)
        return row_of(session.connection(), deletion_id)


def _begin(work: Work, plan: Plan) -> None:
    """Wait for leases by coming again: the fence lets none of them begin anything, and they end in minutes."""
    with work.application.control.transaction() as connection:
        if not plan.is_quiet(connection, work.subject_id):
            raise Temporary("deletion_waiting")
        move(connection, work.deletion_id, DeletionState.PURGING)


def _begin_search(work: Work) -> None:
    """From here on the row itself says no longer of whom it is, but for the canary's: it is nobody."""
    asker = case((DELETION.c.requested_by == CANARY, CANARY), else_=None)
    with work.application.control.transaction() as connection:
        move(connection, work.deletion_id, DeletionState.SEARCHING, subject_id=None, requested_by=asker)


def _finish(work: Work, plan: Plan) -> None:
    """Search, and issue the receipt if nothing was found."""
    with work.application.control.autocommit() as connection:
        row = row_of(connection, work.deletion_id)
    if row is None or row.state != DeletionState.SEARCHING:
        return
    work.context.checkpoint()
    work.context.progress(1, 2, "searching")
    scope, subject_id, identifiers, organisations = _open(work.application, TERMS, row.id, row.terms)
    terms = SearchTerms(scope, subject_id, tuple(identifiers), tuple(organisations))
    looked = search(work.application.settings, work.application.control, terms)
    if any(place.found for place in looked):
        _note_left_over(work, looked)
        raise Temporary("deletion_left_over")
    recipients = _open(work.application, RECIPIENTS, row.id, row.recipients)
    places = {step.name: step.place for step in plan.steps}
    with work.application.control.begin() as session:
        connection, moment = session.connection(), now()
        if not move(connection, row.id, DeletionState.DONE, done_at=moment, terms=None):
            return
        _settle_search(connection, row.id, {"state": StepState.DONE.value, "count": 0, "done_at": moment})
        issue_receipt(connection, work.application, row.id, places, looked)
        queue_receipts(session, work.application, row.id, recipients)


def _note_left_over(work: Work, looked: Sequence[Looked]) -> None:
    mark_failed(work, SEARCH)
    with work.application.control.transaction() as connection:
        _settle_search(connection, work.deletion_id, {"count": sum(place.found for place in looked)})


def _settle_search(connection: Connection, deletion_id: str, values: dict[str, Any]) -> None:
    this = (STEP.c.deletion_id == deletion_id) & (STEP.c.name == SEARCH)
    connection.execute(update(STEP).where(this).values(values))


def _seal(application: Application, use: str, deletion_id: str, value: Any) -> bytes:
    return application.keyring.seal(use, deletion_id, json.dumps(value).encode())


def _open(application: Application, use: str, deletion_id: str, sealed: bytes | None) -> Any:
    """What `_seal` sealed; empty for what was never there. Raises SealBrokenError."""
    return {} if sealed is None else json.loads(application.keyring.open(use, deletion_id, sealed))
