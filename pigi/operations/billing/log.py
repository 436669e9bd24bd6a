"""The billing log (P27): a line for each event about money, with what the law asks for and no more.

Lines are never changed, and the database itself refuses to remove one before its seven years are over
(pigi/store/migrations/control/versions/0004_billing.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from pigi.domain.retention import financial_year_end
from pigi.domain.stripe_events import StripeEvent
from pigi.errors import Permanent, Temporary
from pigi.operations.billing.customers import ACCOUNT
from pigi.operations.billing.events import EVENT, NEAR, Outcome, find_snapshot, link_forms, nearest, settle_event
from pigi.ports.billing import NotAllowed
from pigi.store.billing import BillingLine
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from pigi.ports.billing import BillingProvider, Money
    from pigi.store.sessions import ControlDatabase

LINE: Any = BillingLine.__table__
_ALIKE: Final = ("event_type", "customer_id", "invoice_id", "amount", "currency", "status")
OUT_OF_REACH: Final = frozenset({"billing_busy", "billing_unreachable"})
"""Reasons for which no request to Stripe can succeed now."""


def log_events(control: ControlDatabase, provider: BillingProvider, events: Iterable[Any]) -> None:
    """Log what events were about, as Stripe has it now, and settle them. Raises Temporary.

    One that must wait keeps no other waiting, unless Stripe is out of reach altogether.
    """
    failures: list[Temporary] = []
    for event in events:
        try:
            _log(control, provider, event)
        except Temporary as failure:
            failures.append(failure)
            if failure.code in OUT_OF_REACH:
                break
    if failures:
        raise failures[0]


def _log(control: ControlDatabase, provider: BillingProvider, event: Any) -> None:
    """Once, whichever of its two forms comes first."""
    about = StripeEvent(event.event_id, event.type, event.created_at, livemode=False, customer_id=event.customer_id,
                        object_id=event.object_id)  # fmt: skip
    snapshot_id, refusal = _snapshot_of(control, provider, event)
    try:
        money = provider.money_of(about) if event.object_id is not None else None
    except Permanent:
        # Asking again cannot help, and what came after it must not wait for it. Operators see how many there are.
        with control.autocommit() as connection:
            settle_event(connection, event.id, Outcome.REFUSED)
        return
    with control.transaction() as connection:
        if money is not None:
            _add_line(connection, event, snapshot_id, money, refusal)
        settle_event(connection, event.id, Outcome.SYNCED if money is None else Outcome.LOGGED)


def _snapshot_of(
    control: ControlDatabase, provider: BillingProvider, event: Any
) -> tuple[str | None, NotAllowed | None]:
    """The id of an event's snapshot, or that the key may not ask for it."""
    try:
        return find_snapshot(control, provider, event), None
    except NotAllowed as refusal:
        return None, refusal


def _add_line(
    connection: Connection, event: Any, snapshot_id: str | None, money: Money, refusal: NotAllowed | None
) -> None:
    """Add the line unless it is there in either form. If not, ``refusal`` is raised: it may come in the other form."""
    # One at a time for a customer, or both forms of an event would find no line of the other. An organisation that is
    # gone has no row to hold; what comes of it so late comes seldom, and in one form.
    connection.execute(select(ACCOUNT.c.ticket).where(ACCOUNT.c.customer_id == money.customer_id).with_for_update())
    line = {"event_id": snapshot_id or event.event_id, "event_type": event.type, **vars(money)}
    when = {"occurred_at": event.created_at, "year_end": financial_year_end(event.created_at)}
    if connection.execute(select(LINE.c.event_id).where(LINE.c.event_id == line["event_id"])).first() is not None:
        return
    named = event.thin and snapshot_id is not None
    if named or not _has_other_form(connection, event, line):
        if refusal is not None:
            raise refusal
        connection.execute(insert_into(connection, LINE).values(line | when).on_conflict_do_nothing())


def _has_other_form(connection: Connection, event: Any, line: dict[str, Any]) -> bool:
    """Whether the log has the line by the event's other form, where Stripe did not say that they are one.

    The two are linked then. So each line answers for one event, and as many lines as there were facts remain, be they
    ever so alike.
    """
    linked = EVENT.alias()
    if event.thin:
        other = ~EVENT.c.thin & ~select(linked.c.id).where(linked.c.snapshot_id == EVENT.c.event_id).exists()
    else:
        other = EVENT.c.thin & EVENT.c.snapshot_id.is_(None)
    alike = [LINE.c[name] == line[name] for name in _ALIKE]
    moments = EVENT.c.created_at.between(event.created_at - NEAR, event.created_at + NEAR)
    logged = select(EVENT).join(LINE, LINE.c.event_id == EVENT.c.event_id).where(other, moments, *alike)
    other_form = nearest(connection.execute(logged), event.created_at)
    if other_form is None:
        return False
    thin, snapshot = (event, other_form) if event.thin else (other_form, event)
    link_forms(connection, thin.id, snapshot.event_id)
    return True


def was_customer(connection: Connection, customer_id: str) -> bool:
    """Whether the log knows the customer: its organisation may be gone, and money may still come or go."""
    return (
        connection.execute(select(LINE.c.event_id).where(LINE.c.customer_id == customer_id).limit(1)).first()
        is not None
    )


def lines_of(connection: Connection, customer_id: str) -> list[Any]:
    """The customer's lines, oldest first."""
    query = select(LINE).where(LINE.c.customer_id == customer_id).order_by(LINE.c.occurred_at, LINE.c.event_id)
    return list(connection.execute(query))
