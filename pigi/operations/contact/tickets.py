"""Tickets: filing a message, and reading it, as whoever wrote it and as an operator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from pigi.clock import now
from pigi.domain.addresses import email_key
from pigi.domain.contact import ANSWER_WITHIN, NUMBER, TicketKind, TicketState, new_number, read_number
from pigi.domain.mail import Template
from pigi.domain.throttles import TICKET, TICKET_NOTICE
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.credentials import acquire, try_acquire
from pigi.operations.mail import queue_mail
from pigi.store.contact import ANSWER, MESSAGE, SENDER, Ticket
from pigi.store.sealing import SealBrokenError

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.store.keyring import Keyring

TABLE: Any = Ticket.__table__
PAGE = 200
OPEN = TABLE.c.state == TicketState.OPEN.value


@dataclass(frozen=True)
class TicketReceipt:
    """What whoever has a ticket's number is told of it: nothing of what was written, or by whom."""

    number: str
    kind: str
    state: str
    received_at: datetime
    due_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, repr=False)
class TicketView(TicketReceipt):
    """A ticket as operators see it. What was sealed is None where the keyring has not the key that sealed it."""

    id: str
    account_id: str | None
    email: str | None
    name: str | None
    message: str | None
    answer: str | None
    overdue: bool


def file_ticket(  # noqa: PLR0913 - a message's facts, each named at the call
    application: Application,
    kind: TicketKind,
    email: str,
    message: str,
    network: str,
    *,
    name: str | None = None,
    person: Person | None = None,
) -> TicketReceipt:
    """File a message. Whoever wrote it is mailed its number; whoever answers such messages, that there is one.

    The address is only typed, so the mail to it holds nothing of what was written, and is held back if it has had
    several: else anybody could have Pigi write to somebody what they like, or as often.

    Raises Refused ``too_many_tries``.
    """
    acquire(application, TICKET, network)
    noticed = try_acquire(application, TICKET_NOTICE, subject=kind.value)
    ticket_id, moment, keyring = new_id(), now(), application.keyring
    sender = json.dumps({"email": email, "name": name})
    row = {
        "number": new_number(),
        "kind": kind.value,
        "state": TicketState.OPEN.value,
        "received_at": moment,
        "due_at": moment + ANSWER_WITHIN[kind],
    }
    sealed = {
        "sender": keyring.seal(SENDER, ticket_id, sender.encode()),
        "message": keyring.seal(MESSAGE, ticket_id, message.encode()),
    }
    account = person.account_id if person else None
    with application.control.begin() as session:
        session.connection().execute(insert(TABLE).values(id=ticket_id, account_id=account, **row, **sealed))
        queue_mail(session, application, Template.TICKET_RECEIVED, ticket_id, email_key(email))
        if noticed:
            address = application.settings.address_for(kind)
            queue_mail(session, application, Template.TICKET_NOTICE, ticket_id, email_key(address))
    return TicketReceipt(**row, answered_at=None, closed_at=None)  # type: ignore[arg-type]  # the row's own


def read_receipt(application: Application, number: str) -> TicketReceipt:
    """How far the ticket with this number is, as typed; raises Refused ``not_found``."""
    given = read_number(number)
    query = select(*(TABLE.c[name] for name in TicketReceipt.__dataclass_fields__)).where(TABLE.c.number == given)
    with application.control.autocommit() as connection:
        row = connection.execute(query).first() if NUMBER.fullmatch(given) else None
    if row is None:
        raise Refused("not_found")
    return TicketReceipt(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def list_tickets(
    application: Application, *, is_open: bool | None = None, limit: int | None = PAGE, before: str | None = None
) -> list[TicketView]:
    """Tickets, newest first; of the open ones alone those first that are due soonest.

    ``limit`` counts up to `PAGE` and one more; None is for all of them.
    """
    query = select(TABLE) if limit is None else select(TABLE).limit(min(limit, PAGE + 1))
    if before is not None:
        query = query.where(TABLE.c.id < before)
    if is_open is not None:
        query = query.where(OPEN if is_open else ~OPEN)
    query = query.order_by(TABLE.c.due_at, TABLE.c.id) if is_open else query.order_by(TABLE.c.id.desc())
    with application.control.autocommit() as connection:
        rows = connection.execute(query).all()
    return [_view(application.keyring, row) for row in rows]


def read_ticket(application: Application, ticket: str) -> TicketView:
    """Any ticket, for operators, by its id or its number; raises Refused ``not_found``."""
    which = TABLE.c.id == ticket if is_id(ticket) else TABLE.c.number == read_number(ticket)
    with application.control.autocommit() as connection:
        row = connection.execute(select(TABLE).where(which)).first()
    if row is None:
        raise Refused("not_found")
    return _view(application.keyring, row)


def count_tickets(application: Application, *, overdue: bool = False) -> int:
    """How many wait for an answer; with ``overdue``, for longer than was promised (promise P12)."""
    query = select(func.count()).select_from(TABLE).where(OPEN, *((now() > TABLE.c.due_at,) if overdue else ()))
    with application.control.autocommit() as connection:
        return int(connection.execute(query).scalar_one())


def _view(keyring: Keyring, row: Any) -> TicketView:
    sender = json.loads(_opened(keyring, SENDER, row.id, row.sender) or "{}")
    shown = {name: getattr(row, name) for name in TicketReceipt.__dataclass_fields__}
    return TicketView(
        **shown,
        id=row.id,
        account_id=row.account_id,
        email=sender.get("email"),
        name=sender.get("name"),
        message=_opened(keyring, MESSAGE, row.id, row.message),
        answer=_opened(keyring, ANSWER, row.id, row.answer),
        overdue=row.state == TicketState.OPEN and now() > row.due_at,
    )


def _opened(keyring: Keyring, use: str, row_id: str, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    try:
        return keyring.open(use, row_id, sealed).decode()
    except SealBrokenError:
        return None
