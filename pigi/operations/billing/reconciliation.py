"""Reconciliation with Stripe: a nightly job that compares all customers and events, repairs drift and counts it."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from pigi.clock import now
from pigi.domain.stripe_api import WEBHOOK_PATH
from pigi.domain.subscriptions import ENDED, ONGOING
from pigi.errors import PigiError
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.kinds import FOLLOW_CONTACT
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.billing.customers import ACCOUNT, active_organisation_of, all_contacts, find_account
from pigi.operations.billing.events import EVENT, REQUESTED_BY, ingest_missed, is_stored, open_events
from pigi.operations.billing.log import OUT_OF_REACH, log_events, was_customer
from pigi.operations.billing.sync import matches_stripe, owner_of, read_anew, sync_customer
from pigi.ports.billing import NotAllowed
from pigi.store.billing import BillingPrice, BillingRun
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.stripe_events import StripeEvent
    from pigi.domain.subscriptions import Subscription
    from pigi.jobs.execution.context import JobContext
    from pigi.ports.billing import BillingProvider

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
        self.each = Isolation("reconciliation", _is_out_of_reach)
        with context.control.transaction() as connection:
            self.since = _since(connection)
            row = {"id": context.job.job_id, "began_at": now(), "findings": ""}
            counts = dict.fromkeys(("customers", "drift", "missed", "strangers"), 0)
            made = insert_into(connection, RUN).values(row | counts)
            again = {**counts, "drift": RUN.c.drift, "missed": RUN.c.missed}
            connection.execute(made.on_conflict_do_update(index_elements=[RUN.c.id], set_=again))

    def add(self, **counts: int) -> None:
        """Count; at once, since an attempt that dies has put right what it counted."""
        with self.context.control.autocommit() as connection:
            more = {name: RUN.c[name] + count for name, count in counts.items() if count}
            if more:
                connection.execute(update(RUN).where(self._this).values(more))

    def end(self, findings: list[str]) -> None:
        """It is whole, if nothing failed on the way; otherwise raises the first failure."""
        if self.each.first is not None:
            raise self.each.first
        with self.context.control.autocommit() as connection:
            ended = {"ended_at": now(), "findings": " ".join(findings)}
            connection.execute(update(RUN).where(self._this).values(ended))


def _is_out_of_reach(failure: Exception) -> bool:
    return isinstance(failure, PigiError) and failure.code in OUT_OF_REACH


def _since(connection: Connection) -> datetime:
    """From when on events are listed: the beginning of the last whole run."""
    whole = select(RUN.c.began_at).where(RUN.c.ended_at.is_not(None)).order_by(RUN.c.began_at.desc()).limit(1)
    last = connection.execute(whole).scalar()
    earliest = now() - FURTHEST
    return earliest if last is None else max(earliest, last - OVERLAP)


PRICE: Any = BillingPrice.__table__


def reconcile(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Make what Pigi stores match what Stripe has. Raises as `BillingProvider`."""
    run = Run(context)
    with suppress(NotAllowed):  # only pages need them, and the check finds that the right is missing
        read_prices(context, application, provider)
    theirs = _subscriptions(run, provider)
    _follow_contacts(run, application, provider)
    _ingest_missed(run, application, provider)
    _find_owners(run, provider)
    _sync_each(run, application, provider, _suspects(run, application, theirs))
    address = application.settings.public_url.rstrip("/") + WEBHOOK_PATH
    prices, live = list(application.plans.by_price), application.settings.stripe_live
    run.end([*provider.findings(address, prices, live=live), *_about_customers(application, theirs)])


def read_prices(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Read what the prices on offer cost, so that the page of plans can show it."""
    found = [{"read_at": now(), **_columns(price)} for price in provider.prices(list(application.plans.by_price))]
    with context.control.transaction() as connection:
        connection.execute(delete(PRICE))
        if found:
            connection.execute(insert(PRICE), found)


def _columns(price: Any) -> dict[str, Any]:
    columns = dict(vars(price))
    return {"price_id": columns.pop("id"), **columns}


def _ingest_missed(run: Run, application: Application, provider: BillingProvider) -> None:
    """Store the events that no webhook delivered; their customers are synced below. Of strangers nothing is kept."""
    own = _own_customers(application)
    for event in provider.events_since(run.since):
        run.context.checkpoint()
        with run.each.of(None):
            run.add(missed=int(_is_missed(application, provider, event, own)))


def _is_missed(application: Application, provider: BillingProvider, event: StripeEvent, own: set[str]) -> bool:
    """Whether an event about a customer was missing; if so it is stored now."""
    with application.control.autocommit() as connection:
        if is_stored(connection, event.id):
            return False
    if event.customer_id is None and event.object_id is not None:
        event = replace(event, customer_id=provider.customer_of(event.object_id))
    if event.customer_id is None:
        return False
    with application.control.autocommit() as connection:
        known = event.customer_id in own or was_customer(connection, event.customer_id)
    return known and ingest_missed(application, event)


def _own_customers(application: Application) -> set[str]:
    with application.control.autocommit() as connection:
        customers = select(ACCOUNT.c.customer_id).where(ACCOUNT.c.customer_id.is_not(None))
        return set(connection.execute(customers).scalars())


def _find_owners(run: Run, provider: BillingProvider) -> None:
    """Find the customers of thin events whose jobs failed before they could, or nobody would ever look at them."""
    with run.context.control.autocommit() as connection:
        unowned = open_events(connection, None)
    for event in unowned:
        run.context.checkpoint()
        with run.each.of(None):
            owner_of(run.context.control, provider, event)


def _sync_each(run: Run, application: Application, provider: BillingProvider, suspects: list[str]) -> None:
    """Sync each customer, and count those that had drifted."""
    for customer_id in suspects:
        run.context.checkpoint()
        with run.each.of(None):
            synced, to_log = read_anew(application, provider, customer_id)
            run.add(drift=int(synced.changed), customers=1)
            log_events(application.control, provider, to_log)


def _about_customers(application: Application, theirs: dict[str, list[Subscription]]) -> list[str]:
    """Findings about customers: nobody means to pay for two subscriptions."""
    own = _own_customers(application)
    twice = any(sum(one.status in ONGOING for one in ones) > 1 for customer, ones in theirs.items() if customer in own)
    return ["subscribed_twice"] if twice else []


def _subscriptions(run: Run, provider: BillingProvider) -> dict[str, list[Subscription]]:
    """Stripe's subscriptions by customer."""
    found: defaultdict[str, list[Subscription]] = defaultdict(list)
    for number, one in enumerate(provider.all_subscriptions()):
        found[one.customer_id].append(one)
        if number % 100 == 0:
            run.context.checkpoint()
    return found


def _follow_contacts(run: Run, application: Application, provider: BillingProvider) -> None:
    """Queue a job for each customer with an outdated contact, and adopt those whose making Pigi never saw succeed."""
    with application.control.autocommit() as connection:
        contacts = list(all_contacts(connection))
    for customer in provider.all_customers(contacts):
        run.context.checkpoint()
        with run.each.of(customer.organisation_id):
            if customer.in_step is False:
                _request_contact_update(application, customer.id)
            elif customer.organisation_id is not None:
                _adopt_customer(run, application, provider, customer.organisation_id, customer.id)


def _request_contact_update(application: Application, customer_id: str) -> None:
    with application.control.begin() as session:
        organisation_id = active_organisation_of(session.connection(), customer_id)
        if organisation_id is not None:
            enqueue(
                session,
                application.notifier,
                FOLLOW_CONTACT,
                organisation_id=organisation_id,
                requested_by=REQUESTED_BY,
            )


def _adopt_customer(
    run: Run, application: Application, provider: BillingProvider, organisation_id: str, customer_id: str
) -> None:
    with application.control.autocommit() as connection:
        account = find_account(connection, organisation_id)
    if account is not None and account.customer_id is None and account.intended_at is not None:
        run.add(drift=int(sync_customer(application, provider, customer_id).changed), customers=1)


def _suspects(run: Run, application: Application, theirs: dict[str, list[Subscription]]) -> list[str]:
    """The customers to be read again: those whose row differs from the listing, and those with open events.

    The listing may be older than what was synced meanwhile, so it is not stored: whoever differs is read again.
    """
    with application.control.autocommit() as connection:
        customers = select(ACCOUNT).where(ACCOUNT.c.customer_id.is_not(None)).order_by(ACCOUNT.c.organisation_id)
        rows = connection.execute(customers).all()
        unprocessed = select(EVENT.c.customer_id).where(
            EVENT.c.processed_at.is_(None), EVENT.c.customer_id.is_not(None)
        )
        with_events: set[str] = set(connection.execute(unprocessed.distinct()).scalars())
    own = {row.customer_id for row in rows}
    live = [ones for customer, ones in theirs.items() if customer not in own]
    run.add(strangers=sum(one.status not in ENDED for ones in live for one in ones))
    differ = [
        row.customer_id for row in rows if not matches_stripe(application.plans, row, theirs.get(row.customer_id, []))
    ]
    run.add(customers=len(own - set(differ) - with_events))
    return list(dict.fromkeys([*differ, *sorted(with_events)]))
