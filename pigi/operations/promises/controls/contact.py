"""Controls of what people can write to whoever runs Pigi: that they are answered, and where reports go."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.contact import LEAST_LEFT, MOST_LEFT
from pigi.domain.controls import Control, Evidence, Finding
from pigi.operations.contact import CANONICAL, contact_page, count_tickets, read_security_txt
from pigi.operations.promises.visits import Visitor, forget_visits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.application import Application

OK = 200
FORM = "/contact"
FILED_AT = "/api/v1/tickets"


def tickets_on_time(application: Application) -> Finding:
    """Whether a message waits for its answer longer than was promised."""
    late, waiting = count_tickets(application, overdue=True), count_tickets(application)
    if late:
        return Finding(False, f"{late} of {waiting} open messages wait longer than their senders were told.")
    return Finding(True, f"{waiting} messages wait for an answer, none of them longer than its sender was told.")


def reports_welcome(application: Application) -> Finding:
    """Whether security.txt is there, names the form and the address, and will not be over soon."""
    forget_visits(application)
    visitor = Visitor.of(application)
    file, form = visitor.ask("GET", CANONICAL), visitor.ask("GET", FORM)
    fields = read_security_txt(file.text)
    left = _left(fields)
    address = f"mailto:{application.settings.security_address}"
    checks = {
        f"security.txt was answered {file.status}": file.status != OK,
        "it is no plain text": not file.one("Content-Type").startswith("text/plain"),
        "it does not name the form and the address": not {address, f"{contact_page(application.settings)}#security"}
        <= {*fields.get("contact", [])},
        f"it is over in {left} days": not LEAST_LEFT.days <= left <= MOST_LEFT.days,
        f"the form was answered {form.status}": form.status != OK or FILED_AT not in form.text,
    }
    flaws = [flaw for flaw, found in checks.items() if found]
    if flaws:
        return Finding(False, f"Of security.txt and the form: {'; '.join(flaws)}.")
    return Finding(True, f"security.txt counts for {left} more days and names an address and the form, which is there.")


def _left(fields: Mapping[str, list[str]]) -> int:
    """The days until it is over; -1 if it does not say so as RFC 9116 wants it: once."""
    try:
        (value,) = fields.get("expires", [])
        return (datetime.fromisoformat(value) - now()).days
    except (ValueError, TypeError):
        return -1


CONTROLS = (
    Control(
        "messages-answered-in-time",
        "P12",
        Evidence.OBSERVED,
        tickets_on_time,
        "No message from the contact page waits longer for an answer than its sender was told.",
        "Mail to the addresses themselves, whether an answer is a good one, and what was closed without any.",
    ),
    Control(
        "reports-welcome",
        "P21",
        Evidence.SYNTHETIC,
        reports_welcome,
        "security.txt is there, counts for a month or longer, and names the form, which is there, and an address.",
        "Whether somebody reads what is mailed to the address.",
    ),
)
