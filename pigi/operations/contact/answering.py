"""Answering tickets, by mail, and closing them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.addresses import email_key
from pigi.domain.contact import TicketState
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.operations.audit import record
from pigi.operations.contact.tickets import TABLE, read_ticket
from pigi.operations.mail import queue_mail
from pigi.store.contact import ANSWER, SENDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.operations.contact.tickets import TicketView
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]


def _ignore(_session: ControlSession) -> None:
    """For a command, which owes nobody a record."""


def answer_ticket(
    application: Application, operator: str, ticket_id: str, answer: str, on_done: OnDone = _ignore
) -> TicketView:
    """Answer an open ticket as ``operator``; a job mails the answer to whoever wrote.

    Raises:
        Refused: ``not_found``; ``ticket_over`` if it was answered or closed.
        SealBrokenError: the keyring lost the key that sealed the address.
    """
    keyring = application.keyring
    with application.control.begin() as session:
        row = _held(session, ticket_id, TicketState.OPEN)
        sender = json.loads(keyring.open(SENDER, row.id, row.sender))
        answered = {"state": TicketState.ANSWERED.value, "answered_at": now()}
        sealed = keyring.seal(ANSWER, row.id, answer.encode())
        session.connection().execute(update(TABLE).where(TABLE.c.id == row.id).values(answer=sealed, **answered))
        key = email_key(sender["email"])
        queue_mail(session, application, Template.TICKET_ANSWER, row.id, key, requested_by=operator)
        record(session, application, "ticket.answered", operator, None, f"ticket:{row.id}")
        on_done(session)
    return read_ticket(application, ticket_id)


def close_ticket(application: Application, operator: str, ticket_id: str, on_done: OnDone = _ignore) -> TicketView:
    """Close a ticket as ``operator``, answered or not; nobody is told. Raises ``not_found``, ``ticket_over``."""
    with application.control.begin() as session:
        row = _held(session, ticket_id, TicketState.OPEN, TicketState.ANSWERED)
        closed = {"state": TicketState.CLOSED.value, "closed_at": now()}
        session.connection().execute(update(TABLE).where(TABLE.c.id == row.id).values(**closed))
        record(session, application, "ticket.closed", operator, None, f"ticket:{row.id}")
        on_done(session)
    return read_ticket(application, ticket_id)


def _held(session: ControlSession, ticket_id: str, *states: TicketState) -> Any:
    row = session.connection().execute(select(TABLE).where(TABLE.c.id == ticket_id).with_for_update()).first()
    if row is None:
        raise Refused("not_found")
    if row.state not in states:
        raise Refused("ticket_over")
    return row
