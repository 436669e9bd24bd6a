"""Messages on the contact page, as somebody without an account writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.contact import TicketKind
from pigi.operations.contact import file_ticket, read_ticket
from tests.support.people import an_address

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.contact import TicketView

_made = iter(range(1, 1 << 24))


def make_ticket(
    application: Application, kind: TicketKind = TicketKind.SUPPORT, email: str = "", message: str = "How?"
) -> TicketView:
    """A message from a network that has sent no other."""
    place = next(_made)
    network = f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}"
    filed = file_ticket(application, kind, email or an_address(), message, network)
    return read_ticket(application, filed.number)
