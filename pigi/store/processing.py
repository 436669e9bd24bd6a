"""The one place that says whether a person's data may be used: for a job, a mail, a statistic (promise P32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from pigi.domain.processing import Use, read_stops, why_stopped
from pigi.errors import Refused
from pigi.store.people import Account

if TYPE_CHECKING:
    from sqlalchemy import Connection

PERSON = "account:"
"""How names of people begin, in rows that say who requested something. A key acts for its organisation, not for who
made it."""
_STOPS = select(Account.stops).where(Account.id == bindparam("account"))


def stopped(connection: Connection, name: str, use: Use) -> str | None:
    """Why whoever is called so may not have their data used for this, as a code; None if it may be."""
    if use is Use.SERVICE or not name.startswith(PERSON):
        return None
    text = connection.execute(_STOPS, {"account": name.removeprefix(PERSON)}).scalar()
    return why_stopped(read_stops(text), use) if text else None


def refuse_stopped(connection: Connection, name: str, use: Use) -> None:
    """Raise Refused with the code of why, if whoever is called so may not have their data used for this."""
    code = stopped(connection, name, use)
    if code is not None:
        raise Refused(code)
