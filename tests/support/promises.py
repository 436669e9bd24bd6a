"""An installation in which violations of promises are planted, and what its promises say."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from pigi.clock import now
from pigi.domain.controls import GROUPS, Evidence
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.model.transitions import JOB
from pigi.operations.promises import all_controls, begin_acts, check_controls, promises_standing
from pigi.operations.promises.endings import push_deletions
from tests.support.factories import make_organisation
from tests.support.jobs import GOOD, make_worker_context

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

    from pigi.application import Application
    from tests.support.live_web import LiveWeb

    Plant = Callable[["World"], AbstractContextManager[Any]]


IS_WAITING = JOB.c.state.in_(("queued", "retrying"))
PASSES = 5
"""An account's deletion waits for that of its organisation, and that for leases to end."""


@dataclass
class World:
    """One installation with an organisation that holds something.

    A plant is ``(world)`` to a context manager: within it the violation is there, after it all is as before.
    """

    application: Application
    organisation: str
    web: LiveWeb

    @classmethod
    def of(cls, application: Application, web: LiveWeb) -> World:
        """A world on this installation, which answers at its own address; the canary has been through a round."""
        made = cls(application, make_organisation(application.control, application.tenants), web)
        begin_acts(application, lambda: None)
        made.work()
        return made

    def work(self) -> None:
        """Do all jobs that wait, as a worker does; those that wait for another once more."""
        import worker.app  # noqa: F401 - importing registers; most tests need no worker

        hands = make_worker_context(self.application, *[GOOD] * 9)
        waiting = select(JOB.c.id, JOB.c.kind).where(IS_WAITING).order_by(JOB.c.id)
        for _pass in range(PASSES):
            push_deletions(self.application)
            with self.application.control.autocommit() as connection:
                # Nobody waits here for what is due in a while.
                connection.execute(update(JOB).where(IS_WAITING).values(due_at=now() - timedelta(seconds=1)))
                found = connection.execute(waiting).all()
            for row in found:
                run(HANDLERS[row.kind], row.id, hands)

    def check(self, names: Collection[str]) -> dict[str, str]:
        """Check these controls now; the state of each promise."""
        controls = all_controls()
        check_controls(self.application, [controls[name] for name in names])
        return {standing.id: standing.state.value for standing in promises_standing(self.application)}


@contextmanager
def declared_as(column: Any, **other: Any) -> Iterator[None]:
    """Within it, the column declares these facts otherwise."""
    facts = column.info["facts"]
    column.info["facts"] = replace(facts, **other)
    try:
        yield
    finally:
        column.info["facts"] = facts


@contextmanager
def rows(world: World, model: Any, *planted: dict[str, Any]) -> Iterator[None]:
    """Within it, these rows are in a table of the control database; each is found again by all that it holds."""
    table = model.__table__
    with world.application.control.autocommit() as connection:
        for row in planted:
            connection.execute(insert(table).values(row))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            for row in planted:
                connection.execute(delete(table).where(*(table.c[name] == value for name, value in row.items())))


def cheap() -> list[str]:
    """The controls that are checked beside every planted violation: all whose probes only look."""
    return [name for name, control in all_controls().items() if control.kind in {Evidence.STATIC, Evidence.OBSERVED}]


def planted() -> dict[str, tuple[Plant, ...]]:
    """Every control's planted violations, one or several, from the modules in tests/operations/promises/planted."""
    found: dict[str, tuple[Plant, ...]] = {}
    for group in GROUPS:
        own = import_module(f"tests.operations.promises.planted.{group}").PLANTED
        assert not found.keys() & own.keys()
        found |= {name: plants if isinstance(plants, tuple) else (plants,) for name, plants in own.items()}
    return found


def by_promise() -> dict[str, list[str]]:
    """The names of each promise's controls, those that are attested aside."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, control in all_controls().items():
        if control.kind is not Evidence.ATTESTED:
            found[control.promise].append(name)
    return dict(found)
