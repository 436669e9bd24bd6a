"""Messages to whoever runs Pigi: writing them, answering them, and where vulnerabilities are reported."""

from __future__ import annotations

from pigi.operations.contact.answering import answer_ticket, close_ticket
from pigi.operations.contact.disclosure import CANONICAL, contact_page, read_security_txt, security_txt
from pigi.operations.contact.people import link_tickets, remove_tickets
from pigi.operations.contact.tickets import (
    TicketReceipt,
    TicketView,
    count_tickets,
    file_ticket,
    list_tickets,
    read_receipt,
    read_ticket,
)

__all__ = [
    "CANONICAL",
    "TicketReceipt",
    "TicketView",
    "answer_ticket",
    "close_ticket",
    "contact_page",
    "count_tickets",
    "file_ticket",
    "link_tickets",
    "list_tickets",
    "read_receipt",
    "read_security_txt",
    "read_ticket",
    "remove_tickets",
    "security_txt",
]
