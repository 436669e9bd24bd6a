"""Removing what is due, batch by batch, so that no lock is held long and no row keeps another waiting.

A batch is a transaction. Rows that somebody holds are left for the next sweep, so that no sweep can be part of a
deadlock. One that is made young again meanwhile, such as a key that is taken over, stays: the condition is checked
again on the row as it is when it is deleted. Rows that the database refuses to remove are passed over.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.exc import DBAPIError, OperationalError

from pigi.domain.retention import Retention, cutoff
from pigi.operations import audit
from pigi.operations.retention.failures import enter_failures
from pigi.operations.retention.jobs import bury, job_sweeps
from pigi.operations.retention.ownership import audited, free
from pigi.operations.retention.sweeps import SWEEPS, RemovalMode, Sweep, TimeFormat
from pigi.store.engines import is_one_of, is_sqlite, row_place
from pigi.store.erasures import ErasureLog
from pigi.store.holds import held_organisations, lock_holds
from pigi.store.objects import Objects
from pigi.store.records import Backup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.store.sessions import ControlDatabase

BATCH = 1000
"""Rows a transaction: on SQLite a longer write would make every writer wait, and on PostgreSQL a row's owner."""
RANGE = 10_000
"""Rows a transaction where nobody else touches them and an index leads to them (PostgreSQL): nobody waits for these."""
ALONE = 50
"""Rows that are tried one by one when their batch failed, and refused rows after which a sweep gives up."""
BACKUP: Any = Backup.__table__


def batches(application: Application, retention: Retention, moment: datetime) -> Iterator[int]:
    """Remove what is due of a class; yields after each batch how many rows went.

    Raises what first kept a row from being removed, after all others are: SQLAlchemyError, FilesAwayError, or
    Permanent ``audit_broken``.
    """
    if retention is Retention.ERASURE:
        days = cutoff(retention, moment).date()
        yield ErasureLog.from_settings(application.settings).forget(days)
        return
    for sweep in _sweeps(application.control, retention, moment):
        if sweep.mode is RemovalMode.PRUNED:
            yield from _until_none(partial(_prune, application, cutoff(retention, moment)))
        elif sweep.mode is RemovalMode.ENTERED:
            yield from _until_none(partial(enter_failures, application, sweep, moment))
        elif sweep.mode is RemovalMode.DISCARDED:
            yield from _discard(application, sweep, moment)
        else:
            yield from Removal(application.control, sweep, moment).batches()


def _sweeps(control: ControlDatabase, retention: Retention, moment: datetime) -> list[Sweep]:
    if retention is Retention.JOB:
        with control.autocommit() as connection:
            return job_sweeps(connection, moment)
    return [sweep for sweep in SWEEPS if sweep.retention is retention]


class Removal:
    """One sweep under way: where it is, and what it could not remove."""

    def __init__(self, control: ControlDatabase, sweep: Sweep, moment: datetime) -> None:
        self._control = control
        self._sweep = sweep
        self._due = sweep.due(moment)
        self._refused: list[Any] = []
        self._failure: DBAPIError | None = None
        self._floor: Any = None

    def batches(self) -> Iterator[int]:
        """Remove batch by batch until nothing is left; raises at the end what was refused first."""
        while True:
            try:
                count = self.batch()
            except OperationalError:
                # The database is away or busy: no row's fault, and the job is retried.
                raise
            except DBAPIError as error:
                self._failure = self._failure or error
                count = self._alone()
            if not count:
                break
            yield count
        if self._failure is not None:
            raise self._failure

    def batch(self, *only: Any) -> int:
        """Remove a batch, of rows for which ``only`` holds as well; returns how many went."""
        with self._control.transaction() as connection:
            lock_holds(connection, shared=True)
            wanted = (*self._wanted(connection), *only)
            if self._sweep.mode is RemovalMode.TOMBSTONED:
                return self._bury(connection, wanted)
            ranged = self._sweep.settled and self._sweep.time_format is TimeFormat.MOMENT
            if ranged and not only and not is_sqlite(connection):
                return self._remove_range(connection, wanted)
            return self._remove_places(connection, wanted)

    def _wanted(self, connection: Connection) -> tuple[Any, ...]:
        held = held_organisations(connection, self._sweep.retention)
        refused = (tuple_(*self._sweep.key).not_in(self._refused),) if self._refused else ()
        return (*self._due, *free(self._sweep.retention, held), *refused)

    def _alone(self) -> int:
        """Try the first rows of a batch that failed one by one; returns how many of them there were."""
        with self._control.autocommit() as connection:
            query = select(*self._sweep.key).where(*self._wanted(connection)).limit(ALONE)
            rows = [tuple(row) for row in connection.execute(query)]
        for row in rows:
            try:
                self.batch(tuple_(*self._sweep.key) == row)
            except OperationalError:
                raise
            except DBAPIError:
                self._refused.append(row)
        if len(self._refused) > ALONE and self._failure is not None:
            raise self._failure
        return len(rows)

    def _bury(self, connection: Connection, wanted: tuple[Any, ...]) -> int:
        (key,) = self._sweep.key
        chosen = select(key).where(*wanted).limit(BATCH).with_for_update(skip_locked=True)
        jobs: Sequence[str] = connection.execute(chosen).scalars().all()
        if jobs:
            bury(connection, jobs)
            connection.execute(delete(self._sweep.table).where(key.in_(jobs)))
        return len(jobs)

    def _remove_places(self, connection: Connection, wanted: tuple[Any, ...]) -> int:
        chosen = select(row_place(connection)).select_from(self._sweep.table).where(*wanted).limit(BATCH)
        still_due = () if self._sweep.settled else self._due
        if not self._sweep.settled:
            chosen = chosen.with_for_update(skip_locked=True)
        which = is_one_of(connection, chosen)
        return int(connection.execute(delete(self._sweep.table).where(which, *still_due)).rowcount)

    def _remove_range(self, connection: Connection, wanted: tuple[Any, ...]) -> int:
        """By a piece of the index, which costs half of what single rows do (PostgreSQL)."""
        (age,) = self._sweep.ages
        if self._floor is not None:
            # Not again over what the batches before left behind in the index.
            wanted = (*wanted, age >= self._floor)
        last = connection.execute(select(age).where(*wanted).order_by(age).offset(RANGE - 1).limit(1)).scalar()
        within = () if last is None else (age <= last,)
        self._floor = last
        return int(connection.execute(delete(self._sweep.table).where(*wanted, *within)).rowcount)


def _prune(application: Application, before: datetime) -> int:
    with application.control.autocommit() as connection:
        held = held_organisations(connection, Retention.AUDIT)
    return audit.prune(application, before, BATCH, audited(held) if held else None)


def _discard(application: Application, sweep: Sweep, moment: datetime) -> Iterator[int]:
    """Backups one by one: the object first, since the row says that it is there."""
    store = Objects(application.settings.backups_url)
    with application.control.autocommit() as connection:
        due = connection.execute(select(BACKUP).where(*sweep.due(moment)).order_by(BACKUP.c.made_at)).all()
    for row in due:
        store.remove(row.name)
        with application.control.transaction() as connection:
            yield int(connection.execute(delete(BACKUP).where(BACKUP.c.id == row.id)).rowcount)


def oldest_erasure(application: Application) -> date | None:
    """The day of the oldest entry of the erasure log; raises FilesAwayError."""
    return ErasureLog.from_settings(application.settings).oldest()


def _until_none(step: Callable[[], int]) -> Iterator[int]:
    while count := step():
        yield count
