"""Syncing a customer with Stripe: whatever the event, the customer is read anew, and the result is stored.

So duplicates, reordering and loss of events do not matter. Reads of a customer are numbered when they begin, and of
two that overlap the one that began later prevails: an older read that comes back late changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.domain.stripe_events import LOGGED
from pigi.domain.subscriptions import ENTITLED, NONE, ONGOING, prevailing
from pigi.errors import Permanent
from pigi.jobs.model.transitions import NOW
from pigi.operations.billing.customers import ACCOUNT, adopt_customer, customer_of, find_account
from pigi.operations.billing.events import EVENT, Outcome, find_event, forget_events, open_events, settle_events
from pigi.operations.billing.log import log_events, was_customer
from pigi.operations.billing.subscribed import keep_subscribed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.plans import Plans
    from pigi.domain.subscriptions import Subscription
    from pigi.jobs.execution.context import JobContext
    from pigi.ports.billing import BillingProvider
    from pigi.store.sessions import ControlDatabase


@dataclass(frozen=True)
class Synced:
    """The result of reading a customer: whether it differed from what was stored, and whether its price has a plan."""

    changed: bool = False
    priced: bool = True


@dataclass(frozen=True)
class _StripeState:
    """What Stripe says: the subscription that counts, and whether the customer was deleted."""

    found: Subscription | None
    gone: bool

    @property
    def status(self) -> str:
        return NONE if self.found is None else self.found.status

    def plan(self, plans: Plans) -> tuple[str | None, bool]:
        """The plan that it buys, and whether it is known."""
        if self.found is None or self.status not in ENTITLED:
            return None, True
        # What was added by hand in Stripe, such as a fee, comes beside the price of a plan.
        plan = next((plans.by_price[price] for price in self.found.price_ids if price in plans.by_price), None)
        return plan, plan is not None


@dataclass(frozen=True)
class _ReadNumber:
    """The number of a read in the order of all reads of its customer, and when it began."""

    organisation_id: str
    customer_id: str
    number: int
    at: datetime


def sync(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Sync the customer that the job's event, or else its organisation, is about.

    Raises:
        Permanent: ``billing_price_unknown``, with the status stored: STRIPE_PRICES lacks what somebody pays for.
        Temporary, Permanent: as `BillingProvider`.
    """
    organisation_id = context.job.organisation_id
    with context.control.autocommit() as connection:
        event = find_event(connection, context.job.subject_id)
        customer_id = None if organisation_id is None else customer_of(connection, organisation_id)
    if event is not None:
        if event.processed_at is not None:
            return
        customer_id = owner_of(context.control, provider, event)
    if customer_id is None:
        return
    context.checkpoint()
    if not sync_customer(application, provider, customer_id).priced:
        raise Permanent("billing_price_unknown")
    if event is None:
        # Somebody looks: what they are shown besides is Stripe's alone to know.
        keep_subscribed(context, application, provider, customer_id)


def sync_customer(application: Application, provider: BillingProvider, customer_id: str) -> Synced:
    """Store what Stripe says of the customer now, and log those of its open events that are about money."""
    synced, to_log = read_anew(application, provider, customer_id)
    log_events(application.control, provider, to_log)
    return synced


def read_anew(application: Application, provider: BillingProvider, customer_id: str) -> tuple[Synced, list[Any]]:
    """Store what Stripe says of the customer now; with what came of it, its events that must still be logged."""
    control = application.control
    with control.autocommit() as connection:
        received = open_events(connection, customer_id)
    with control.transaction() as connection:
        read = _number_read(connection, customer_id)
    if read is None:
        read = _adopt(application, provider, customer_id)
    state = _read(provider, customer_id) if read is not None else None
    with control.transaction() as connection:
        known = read is not None or was_customer(connection, customer_id)
        synced = _store(connection, application.plans, read, state) if read and state else Synced()
        settled = [event.id for event in received if not known or event.type not in LOGGED]
        settle_events(connection, settled, Outcome.SYNCED if known else Outcome.UNKNOWN)
    return synced, [event for event in received if event.type in LOGGED] if known else []


def owner_of(control: ControlDatabase, provider: BillingProvider, event: Any) -> str | None:
    """Whose event it is: a thin one does not say. One that is nobody's is settled."""
    if event.customer_id is not None or event.object_id is None:
        found = event.customer_id
    else:
        found = provider.customer_of(event.object_id)
    with control.autocommit() as connection:
        if found is None:
            settle_events(connection, [event.id], Outcome.UNKNOWN)
        elif event.customer_id is None:
            connection.execute(update(EVENT).where(EVENT.c.id == event.id).values(customer_id=found))
    return None if found is None else str(found)


def _number_read(connection: Connection, customer_id: str) -> _ReadNumber | None:
    """Number a read that begins now in the order of all reads of the customer; None for no customer of Pigi's."""
    taken = (
        update(ACCOUNT)
        .where(ACCOUNT.c.customer_id == customer_id)
        .values(tickets=ACCOUNT.c.tickets + 1)
        .returning(ACCOUNT.c.organisation_id, ACCOUNT.c.tickets, NOW)
    )
    row = connection.execute(taken).first()
    return None if row is None else _ReadNumber(row[0], customer_id, row[1], row[2])


def _adopt(application: Application, provider: BillingProvider, customer_id: str) -> _ReadNumber | None:
    """Adopt a customer whose making Pigi never saw succeed: its metadata say whose it is."""
    try:
        customer = provider.read_customer(customer_id)
    except Permanent as refusal:
        # Of an own customer it means that the key is of another account; anybody else's is none of ours.
        if refusal.code != "billing_customer_unknown":
            raise
        return None
    if customer is None or customer.organisation_id is None:
        return None
    with application.control.transaction() as connection:
        account = find_account(connection, customer.organisation_id)
        if account is None or account.intended_at is None:
            return None
        if adopt_customer(connection, customer.organisation_id, customer_id) != customer_id:
            return None
        return _number_read(connection, customer_id)


def matches_stripe(plans: Plans, row: Any, subscriptions: Iterable[Subscription]) -> bool:
    """Whether an account's row says what these subscriptions of its customer say."""
    state = _StripeState(prevailing(subscriptions), gone=False)
    plan, priced = state.plan(plans)
    return row.status == state.status and (row.plan == plan or not priced)


def _read(provider: BillingProvider, customer_id: str) -> _StripeState:
    found = prevailing(provider.subscriptions_of(customer_id))
    ended = found is None or found.status not in ONGOING
    return _StripeState(found, gone=ended and provider.read_customer(customer_id) is None)


def _store(connection: Connection, plans: Plans, read: _ReadNumber, state: _StripeState) -> Synced:
    plan, priced = state.plan(plans)
    values: dict[str, Any] = {"status": state.status, "ticket": read.number, "read_at": read.at}
    if priced:
        values["plan"] = plan
    if state.gone:
        # It was deleted at Stripe's; whoever buys again becomes a new customer.
        values |= {"customer_id": None, "intended_at": None}
    # Of its customer still: one that was found deleted may have been replaced during the read.
    this = (
        (ACCOUNT.c.organisation_id == read.organisation_id)
        & (ACCOUNT.c.customer_id == read.customer_id)
        & (ACCOUNT.c.ticket < read.number)
    )
    before = connection.execute(select(ACCOUNT).where(this)).first()
    connection.execute(update(ACCOUNT).where(this).values(values))
    if before is not None and state.gone:
        forget_events(connection, read.customer_id)
    changed = before is not None and any(values.get(name, kept) != kept for name, kept in _stored_state(before).items())
    return Synced(changed, priced)


def _stored_state(row: Any) -> dict[str, Any]:
    return {"status": row.status, "plan": row.plan, "customer_id": row.customer_id}
