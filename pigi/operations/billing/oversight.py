"""Billing as operators see it: drift, events that wait, what is wrong with the set-up. Counts and codes, no names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.domain.subscriptions import NONE, STATUSES
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.kinds import RECONCILE_BILLING, SYNC_BILLING
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.billing.customers import ACCOUNT, customer_of
from pigi.operations.billing.events import EVENT
from pigi.operations.billing.log import lines_of
from pigi.operations.billing.reconciliation import RUN
from pigi.store.control import Organisation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.model.view import JobView


@dataclass(frozen=True)
class Reconciliation:
    """One run; ``ended_at`` is None for one that is under way or broke off."""

    id: str
    began_at: datetime
    ended_at: datetime | None
    customers: int
    drift: int
    missed: int
    strangers: int
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Oversight:
    """The state of billing in the installation.

    Attributes:
        charged: whether anybody is charged at all.
        statuses: how many organisations have each of Stripe's statuses.
        waiting: events that are not processed.
        oldest_waiting: when the oldest of them was received.
        events: how many events of the last 30 days ended in which way.
        runs: the latest reconciliations, newest first.
        last_whole: the latest that came to its end, however long ago.
    """

    charged: bool
    statuses: dict[str, int]
    waiting: int
    oldest_waiting: datetime | None
    events: dict[str, int]
    runs: tuple[Reconciliation, ...]
    last_whole: Reconciliation | None


_LATEST = select(RUN).order_by(RUN.c.began_at.desc())
_WHOLE = _LATEST.where(RUN.c.ended_at.is_not(None)).limit(1)


def oversee(application: Application, runs: int = 7) -> Oversight:
    """The state of billing, from what is stored."""
    with application.control.autocommit() as connection:
        waiting = connection.execute(
            select(func.count(), func.min(EVENT.c.received_at)).where(EVENT.c.processed_at.is_(None))
        ).one()
        return Oversight(
            application.plans.charged,
            _by_status(_counts(connection, ACCOUNT.c.status, ACCOUNT.c.customer_id.is_not(None))),
            waiting[0],
            waiting[1],
            _counts(connection, EVENT.c.outcome, EVENT.c.outcome.is_not(None)),
            tuple(find_run(row) for row in connection.execute(_LATEST.limit(runs))),
            next((find_run(row) for row in connection.execute(_WHOLE)), None),
        )


def find_run(row: Any) -> Reconciliation:
    """The view of a run's row."""
    counts = (row.customers, row.drift, row.missed, row.strangers)
    return Reconciliation(row.id, row.began_at, row.ended_at, *counts, tuple(row.findings.split()))


def read_run(application: Application, job_id: str) -> Reconciliation | None:
    """The run of a job; None before it began."""
    with application.control.autocommit() as connection:
        row = connection.execute(select(RUN).where(RUN.c.id == job_id)).first()
    return None if row is None else find_run(row)


def request_reconciliation(application: Application, requested_by: str) -> JobView:
    """Request a reconciliation now; for operators."""
    with application.control.begin() as session:
        return enqueue(
            session, application.notifier, RECONCILE_BILLING, organisation_id=None, requested_by=requested_by
        )


def request_sync_for(application: Application, organisation_id: str, requested_by: str) -> JobView:
    """Request a sync of an organisation with Stripe; for operators.

    Raises Refused: ``not_found``, ``billing_no_customer``, ``organisation_closed``.
    """
    with application.control.begin() as session:
        _known_customer(session.connection(), organisation_id)
        return enqueue(
            session, application.notifier, SYNC_BILLING, organisation_id=organisation_id, requested_by=requested_by
        )


def customer_for(application: Application, organisation_id: str) -> str:
    """An organisation's customer ID, for operators. Raises Refused: ``not_found``, ``billing_no_customer``."""
    with application.control.autocommit() as connection:
        return _known_customer(connection, organisation_id)


def read_log(application: Application, customer_id: str) -> list[dict[str, Any]]:
    """The billing log's lines of a customer, the oldest first, by the names of its columns."""
    with application.control.autocommit() as connection:
        return [dict(row._mapping) for row in lines_of(connection, customer_id)]  # noqa: SLF001 - its public name


def _known_customer(connection: Connection, organisation_id: str) -> str:
    exists = select(Organisation.id).where(Organisation.id == organisation_id)
    if not is_id(organisation_id) or connection.execute(exists).first() is None:
        raise Refused("not_found")
    customer_id = customer_of(connection, organisation_id)
    if customer_id is None:
        raise Refused("billing_no_customer")
    return customer_id


def _by_status(counts: dict[str, int]) -> dict[str, int]:
    """The best first, and what this release does not know last."""
    order = {status: place for place, status in enumerate([*STATUSES, NONE])}
    return dict(sorted(counts.items(), key=lambda item: order.get(item[0], len(order))))


def _counts(connection: Connection, column: Any, which: Any) -> dict[str, int]:
    counted = select(column, func.count()).where(which).group_by(column).order_by(column)
    return {row[0]: row[1] for row in connection.execute(counted)}
