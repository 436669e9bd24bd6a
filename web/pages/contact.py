"""Pages of messages to whoever runs Pigi: the forms, how far a message is, and the operators' register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.contact import ANSWER_WITHIN, TicketKind
from pigi.operations.accounts import read_account
from pigi.operations.contact import list_tickets, read_receipt
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply

KINDS = {TicketKind.SUPPORT: "Support", TicketKind.SECURITY: "Security report"}
STATES = {
    "open": ("Waits for an answer", "busy"),
    "answered": ("Answered", "ok"),
    "closed": ("Closed", ""),
}
"""Each state: its word, and its badge's tone."""
SHOWN = 50


def contact_page(context: RequestContext) -> Reply:
    """Forms for questions and for reports of vulnerabilities."""
    application, person = context.application, context.person
    return draw(
        context,
        "contact/contact.html",
        settings=application.settings,
        email=read_account(application, person.account_id).email if person else "",
        days={kind.value: within.days for kind, within in ANSWER_WITHIN.items()},
    )


def ticket_page(context: RequestContext, ticket_number: str) -> Reply:
    """How far a message is, for whoever has its number."""
    receipt = read_receipt(context.application, ticket_number)
    return draw(context, "contact/ticket.html", receipt=receipt, kinds=KINDS, states=STATES)


def tickets_page(context: AccountContext) -> Reply:
    """What people wrote, by when it is due, and answering it."""
    application = context.application
    return draw(
        context,
        "operators/tickets.html",
        here="",
        waiting=list_tickets(application, is_open=True, limit=SHOWN),
        latest=list_tickets(application, is_open=False, limit=SHOWN),
        kinds=KINDS,
        states=STATES,
    )


ROUTES = (
    page("/contact", contact_page, Who.ANYONE),
    page("/contact/<ticket_number>", ticket_page, Who.ANYONE),
    page("/operate/tickets", tickets_page, Who.OPERATOR),
)
