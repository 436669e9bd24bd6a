"""Steps of a deletion: what each removes, and the runner that does them one after another, whatever died before.

A step that was begun is done again from the start, so each can be repeated. Its count stays right all the same: rows
are removed and counted in one transaction, and what lies elsewhere is counted before the first of it goes, at a time
when nothing is added any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import case, delete, select, tuple_, update

from pigi.clock import now
from pigi.domain.deletions import Place, StepState
from pigi.errors import Permanent, Temporary
from pigi.operations.deletion.records import STEP, steps_of
from pigi.operations.retention import BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.errors import PigiError
    from pigi.jobs.execution.context import JobContext
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlSession


@dataclass(frozen=True)
class Work:
    """One attempt at a deletion: of what, and what to do it with.

    ``identifiers`` are those of what hung on the subject when it was sealed, such as its jobs, whose rows may be gone.
    ``of_canary`` says that it is Pigi's own: nobody did it to anybody, so what lasts for years is told nothing of it.
    """

    deletion_id: str
    subject_id: str
    context: JobContext
    application: Application
    gateways: Gateways
    identifiers: tuple[str, ...] = ()
    of_canary: bool = False


class Step(Protocol):
    """A step: its permanent name, where it removes, and the names of the steps that must be done before."""

    @property
    def name(self) -> str:
        """Its name in rows and responses."""

    @property
    def place(self) -> Place:
        """Which count of the receipt it adds to."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Steps that must be done before; it is left waiting otherwise."""

    def run(self, work: Work) -> None:
        """Remove what there is, and mark the step done. Raises Temporary and Permanent to be tried again."""


@dataclass(frozen=True)
class Rows:
    """Removes rows of the control database, batch by batch, each in one transaction with its count.

    ``of`` gives the tables in the order in which they are emptied, with the condition on the rows of a subject.
    """

    name: str
    place: Place
    of: Callable[[str], Iterable[tuple[Any, ColumnElement[bool]]]]
    needs: tuple[str, ...] = ()

    def run(self, work: Work) -> None:
        """See `Step`."""
        for table, rows in self.of(work.subject_id):
            self._empty(work, table, rows)
        with work.application.control.transaction() as connection:
            _set(connection, work, self.name, StepState.DONE)

    def _empty(self, work: Work, table: Any, rows: ColumnElement[bool]) -> None:
        """In the order of the key, so that a log without an index is read but once."""
        last: Any = None
        while True:
            work.context.checkpoint()
            with work.application.control.transaction() as connection:
                removed: Sequence[Any] = connection.execute(_removal(table, rows, last)).scalars().all()
                if removed:
                    _set(connection, work, self.name, StepState.RUNNING, add=len(removed))
            if not removed:
                return
            last = max(removed)


@dataclass(frozen=True)
class Outside:
    """Removes what does not lie in the control database: ``measure`` counts it, then ``remove`` removes all of it.

    Of several counts, as after a failure in the middle, the first and largest stands.
    """

    name: str
    place: Place
    measure: Callable[[Work], int]
    remove: Callable[[Work], None]
    needs: tuple[str, ...] = ()

    def run(self, work: Work) -> None:
        """See `Step`."""
        found = self.measure(work)
        with work.application.control.transaction() as connection:
            _set(connection, work, self.name, StepState.RUNNING, at_least=found)
        self.remove(work)
        with work.application.control.transaction() as connection:
            _set(connection, work, self.name, StepState.DONE)


@dataclass(frozen=True)
class Together:
    """Removes few rows in one transaction with whatever else must be true at once; ``remove`` returns how many."""

    name: str
    place: Place
    remove: Callable[[ControlSession, Work], int]
    needs: tuple[str, ...] = ()

    def run(self, work: Work) -> None:
        """See `Step`."""
        with work.application.control.begin() as session:
            removed = self.remove(session, work)
            _set(session.connection(), work, self.name, StepState.DONE, add=removed)


def run_steps(work: Work, steps: Iterable[Step]) -> None:
    """Do every step that is not done and whose needs are.

    Raises what failed first, once the others were tried: nobody's data waits for Stripe. And as
    `JobContext.checkpoint`.
    """
    with work.application.control.autocommit() as connection:
        found = steps_of(connection, work.deletion_id)
    done = {step.name for step in found if step.state is StepState.DONE}
    failure: PigiError | None = None
    for step in steps:
        if step.name in done or not done.issuperset(step.needs):
            continue
        work.context.checkpoint()
        work.context.progress(len(done), len(found), "purging")
        try:
            step.run(work)
        except (Temporary, Permanent) as error:
            failure = failure or error
            mark_failed(work, step.name)
        else:
            done.add(step.name)
    if failure is not None:
        raise failure


def mark_failed(work: Work, name: str) -> None:
    """Show that a step was tried without success."""
    with work.application.control.transaction() as connection:
        _set(connection, work, name, StepState.FAILED)


def _set(  # noqa: PLR0913 - a change's parts, each named at the call
    connection: Connection, work: Work, name: str, state: StepState, *, add: int = 0, at_least: int = 0
) -> None:
    """Write how far a step is; one that is done stays so, also for another attempt that comes late."""
    this = (STEP.c.deletion_id == work.deletion_id) & (STEP.c.name == name) & (STEP.c.state != StepState.DONE.value)
    counted = case((STEP.c.count < at_least, at_least), else_=STEP.c.count + add)
    done_at = now() if state is StepState.DONE else None
    connection.execute(update(STEP).where(this).values(state=state.value, count=counted, done_at=done_at))


def _removal(table: Any, rows: ColumnElement[bool], last: Any) -> Any:
    key = list(table.primary_key.columns)
    chosen = select(*key).where(rows).order_by(*key).limit(BATCH)
    if len(key) > 1:
        return delete(table).where(tuple_(*key).in_(chosen)).returning(key[0])
    if last is not None:
        chosen = chosen.where(key[0] > last)
    return delete(table).where(key[0].in_(chosen)).returning(key[0])
