"""Organisations as customers: whose customer is whose, the plans that operators grant, and who gets the invoices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from pigi.domain.access import Role
from pigi.domain.plans import UNMETERED
from pigi.domain.subscriptions import NONE
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.kinds import FOLLOW_CONTACT
from pigi.jobs.model.transitions import NOW
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.audit import record
from pigi.ports.billing import Contact
from pigi.store.billing import BillingAccount
from pigi.store.control import Organisation
from pigi.store.engines import insert_into
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.ports.billing import BillingProvider
    from pigi.store.sessions import ControlDatabase, ControlSession

ACCOUNT: Any = BillingAccount.__table__
SLACK = timedelta(minutes=10)
"""Allowed difference between the database's clock and Stripe's, when objects are listed since a moment."""
_EMPTY = {"status": NONE, "tickets": 0, "ticket": 0}


def find_account(connection: Connection, organisation_id: str) -> Any:
    """The organisation's row; None if it never requested anything."""
    return connection.execute(select(ACCOUNT).where(ACCOUNT.c.organisation_id == organisation_id)).first()


def customer_of(connection: Connection, organisation_id: str) -> str | None:
    """The organisation's customer ID, if it has one."""
    row = find_account(connection, organisation_id)
    return row.customer_id if row is not None else None


_ACTIVE = (
    select(ACCOUNT.c.organisation_id)
    .join(Organisation, Organisation.id == ACCOUNT.c.organisation_id)
    .where(ACCOUNT.c.customer_id == bindparam("customer"), Organisation.state == "active")
)


def active_organisation_of(connection: Connection, customer_id: str | None) -> str | None:
    """The active organisation that a customer is; None for anybody else's customer."""
    found: str | None = connection.execute(_ACTIVE, {"customer": customer_id}).scalar()
    return found


def intend_customer(connection: Connection, organisation_id: str) -> tuple[Any, bool]:
    """Record, before the first try, that a customer may be made from now on; the row, and whether it was before.

    Only by that record does a later job know that it must look whether an earlier one made a customer and never
    saw it succeed.
    """
    row = {"organisation_id": organisation_id, **_EMPTY}
    connection.execute(insert_into(connection, ACCOUNT).values(row).on_conflict_do_nothing())
    this = ACCOUNT.c.organisation_id == organisation_id
    unrecorded = this & ACCOUNT.c.intended_at.is_(None)
    recorded = connection.execute(update(ACCOUNT).where(unrecorded).values(intended_at=NOW)).rowcount
    return connection.execute(select(ACCOUNT).where(this)).one(), not recorded


def adopt_customer(connection: Connection, organisation_id: str, customer_id: str) -> str:
    """Record whose customer it is, unless the organisation has one already; the one that it has then."""
    this = ACCOUNT.c.organisation_id == organisation_id
    connection.execute(update(ACCOUNT).where(this, ACCOUNT.c.customer_id.is_(None)).values(customer_id=customer_id))
    return str(connection.execute(select(ACCOUNT.c.customer_id).where(this)).scalar_one())


def forget_customer(connection: Connection, organisation_id: str, customer_id: str) -> Any:
    """Remove the id of a customer that is gone, and record that another may be made from now on; the row."""
    this = (ACCOUNT.c.organisation_id == organisation_id) & (ACCOUNT.c.customer_id == customer_id)
    free = {"customer_id": None, "status": NONE, "plan": None, "intended_at": NOW}
    connection.execute(update(ACCOUNT).where(this).values(free))
    return connection.execute(select(ACCOUNT).where(ACCOUNT.c.organisation_id == organisation_id)).one()


def _contacts() -> Any:
    """By organisation: its name and the address of whoever has owned it longest."""
    place = func.row_number().over(
        partition_by=Membership.organisation_id, order_by=(Membership.joined_at, Membership.account_id)
    )
    owners = (
        select(Membership.organisation_id, Account.email, place.label("place"))
        .join(Account, Account.id == Membership.account_id)
        .where(Membership.role == Role.OWNER)
        .subquery()
    )
    return (
        select(Organisation.id, Organisation.name, owners.c.email, ACCOUNT.c.customer_id)
        .join_from(Organisation, owners, (owners.c.organisation_id == Organisation.id) & (owners.c.place == 1))
        .outerjoin(ACCOUNT, ACCOUNT.c.organisation_id == Organisation.id)
        .where(Organisation.state == "active")
    )


_CONTACTS = _contacts()


def contact_of(connection: Connection, organisation_id: str) -> Contact | None:
    """Who gets the organisation's invoices; None if nobody owns it."""
    row = connection.execute(_CONTACTS.where(Organisation.id == organisation_id)).first()
    return None if row is None else Contact(row.name, row.email)


def all_contacts(connection: Connection) -> Iterator[tuple[str, Contact]]:
    """By customer: who gets its invoices."""
    for row in connection.execute(_CONTACTS.where(ACCOUNT.c.customer_id.is_not(None))):
        yield row.customer_id, Contact(row.name, row.email)


def grant_plan(
    session: ControlSession, application: Application, organisation_id: str, plan: str | None, by: str
) -> None:
    """Let an organisation use a plan without paying, or, with None, only what it pays for; for operators.

    Raises Refused: ``not_found`` for the organisation or the plan.
    """
    known = plan is None or plan == UNMETERED.name or plan in application.plans.by_name
    connection = session.connection()
    exists = select(Organisation.id).where(Organisation.id == organisation_id)
    if not known or not is_id(organisation_id) or connection.execute(exists).first() is None:
        raise Refused("not_found")
    row = {"organisation_id": organisation_id, "granted": plan, **_EMPTY}
    made = insert_into(connection, ACCOUNT).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=[ACCOUNT.c.organisation_id], set_={"granted": plan}))
    record(session, application, "plan.granted", by, organisation_id, plan=plan)


MOST_CHANGES = 5
"""Within one job; somebody who goes on changing makes further jobs."""


def contact_changed(session: ControlSession, application: Application, organisation_id: str, by: str) -> None:
    """Have the customer follow, if there is one; part of the transaction that changes a name or an owner."""
    if customer_of(session.connection(), organisation_id) is not None:
        enqueue(session, application.notifier, FOLLOW_CONTACT, organisation_id=organisation_id, requested_by=by)


def address_changed(session: ControlSession, application: Application, account_id: str, by: str) -> None:
    """`contact_changed` for each organisation to which the account belongs."""
    theirs = (
        select(Membership.organisation_id)
        .join(ACCOUNT, ACCOUNT.c.organisation_id == Membership.organisation_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.account_id == account_id, Organisation.state == "active")
    )
    for organisation_id in session.scalars(theirs).all():
        contact_changed(session, application, organisation_id, by)


def follow_contact(context: JobContext, provider: BillingProvider) -> None:
    """Bring the customer's name and address at Stripe up to date."""
    with context.control.autocommit() as connection:
        customer_id = customer_of(connection, context.organisation_id)
    if customer_id is not None:
        update_contact(context, provider, customer_id)


def update_contact(context: JobContext, provider: BillingProvider, customer_id: str) -> bool:
    """Read the customer, and write its name and address if they are others; False if it was deleted at the provider."""
    customer = provider.read_customer(customer_id, _contact(context.control, context.organisation_id))
    if customer is not None and customer.in_step is False:
        write_contact(context, provider, customer_id)
    elif customer is not None:
        # Perhaps an earlier attempt wrote it and never saw that succeed.
        context.confirm_effects("contact")
    return customer is not None


def write_contact(context: JobContext, provider: BillingProvider, customer_id: str) -> None:
    """Write name and address, until they are still the same after the writing: two changes may overlap."""
    contact = _contact(context.control, context.organisation_id)
    if contact is None:
        return
    context.begin_effect("contact")
    for change in range(MOST_CHANGES):
        context.checkpoint()
        # Not the effect's own key: what is written may differ from try to try, and writing it twice is harmless.
        key = f"pigi-{context.job.job_id}-contact-{context.job.attempt}-{change}"
        provider.update_customer(customer_id, contact, key)
        now_contact = _contact(context.control, context.organisation_id)
        if now_contact is None or now_contact == contact:
            break
        contact = now_contact
    context.complete_effect("contact", None)


def _contact(control: ControlDatabase, organisation_id: str) -> Contact | None:
    with control.autocommit() as connection:
        return contact_of(connection, organisation_id)
