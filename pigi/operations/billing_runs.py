"""A run of reconciliation: what it has counted so far, what failed on its way, and from when on events are listed."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.errors import Permanent, Temporary
from pigi.operations.billing_log import OUT_OF_REACH
from pigi.store.billing import BillingRun
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.errors import PigiError
    from pigi.jobs.context import JobContext

RUN: Any = BillingRun.__table__
FURTHEST = timedelta(days=30)
"""How long Stripe lists events."""
OVERLAP = timedelta(hours=1)
"""Events are listed from before the last whole run on: those that happened then may not have been listed yet."""


class Run:
    """The row of this reconciliation; a second attempt goes on counting."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self._this = RUN.c.id == context.job.job_id
        self._failures: list[PigiError] = []
        with context.control.transaction() as connection:
            self.since = _since(connection)
            row = {"id": context.job.job_id, "began_at": now(), "findings": ""}
            counts = dict.fromkeys(("customers", "drift", "missed", "strangers"), 0)
            made = insert_into(connection, RUN).values(row | counts)
            again = {**counts, "drift": RUN.c.drift, "missed": RUN.c.missed}
            connection.execute(made.on_conflict_do_update(index_elements=[RUN.c.id], set_=again))

    def add(self, **counts: int) -> None:
        """Count; at once, since an attempt that dies has put right what it counted."""
        with self.context.control.quick() as connection:
            more = {name: RUN.c[name] + count for name, count in counts.items() if count}
            if more:
                connection.execute(update(RUN).where(self._this).values(more))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """What fails in here keeps nothing else waiting, unless Stripe is out of reach; the run is not whole then."""
        try:
            yield
        except (Permanent, Temporary) as failure:
            if failure.code in OUT_OF_REACH:
                raise
            self._failures.append(failure)

    def end(self, findings: list[str]) -> None:
        """It is whole, if nothing failed on the way; otherwise raises the first failure."""
        if self._failures:
            raise self._failures[0]
        with self.context.control.quick() as connection:
            ended = {"ended_at": now(), "findings": " ".join(findings)}
            connection.execute(update(RUN).where(self._this).values(ended))


def _since(connection: Connection) -> datetime:
    """From when on events are listed: the beginning of the last whole run."""
    whole = select(RUN.c.began_at).where(RUN.c.ended_at.is_not(None)).order_by(RUN.c.began_at.desc()).limit(1)
    last = connection.execute(whole).scalar()
    earliest = now() - FURTHEST
    return earliest if last is None else max(earliest, last - OVERLAP)
