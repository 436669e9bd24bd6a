"""Messages to whoever runs Pigi: what they can be about, how far each is, by when it is answered, and its number."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final


class TicketKind(StrEnum):
    """What a message is about; the names are permanent."""

    SUPPORT = "support"
    SECURITY = "security"
    """A report of a vulnerability."""


class TicketState(StrEnum):
    """How far a ticket is; the names are permanent."""

    OPEN = "open"
    """It waits for an answer. Left by an answer, or by an operator who closes it."""
    ANSWERED = "answered"
    """Left by an operator who closes it."""
    CLOSED = "closed"
    """Left by nobody."""


ANSWER_WITHIN: Final[dict[TicketKind, timedelta]] = {
    TicketKind.SUPPORT: timedelta(days=7),
    TicketKind.SECURITY: timedelta(days=3),
}
"""By when an answer is promised: pages and mails say so, and a control fails once one is late (P12)."""
MESSAGE_LENGTH: Final = 10_000
"""Characters of a message: a report of a vulnerability has steps and traces. An answer has as many at most."""

_SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 4, 4
NUMBER: Final = re.compile(rf"[{_SIGNS}]{{{_GROUP}}}(-[{_SIGNS}]{{{_GROUP}}}){{{_GROUPS - 1}}}")
"""A ticket's number: about 78 random bits, since whoever has it is told how far the ticket is."""


def new_number() -> str:
    """A number that nobody can guess, of signs that are not taken for one another."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def read_number(text: str) -> str:
    """The number as it is kept, from what somebody typed: small letters, spaces and hyphens do not count."""
    signs = re.sub(r"[\s-]", "", text).upper()
    return "-".join(signs[at : at + _GROUP] for at in range(0, len(signs), _GROUP))


MONTHS_VALID: Final = 3
LEAST_LEFT, MOST_LEFT = timedelta(days=30), timedelta(days=366)
"""How far the end of `security.txt` may be away: RFC 9116, section 2.5.5, recommends less than a year."""


def good_until(moment: datetime) -> datetime:
    """Until when what `security.txt` says counts: the beginning of a month, 59 to 92 days away.

    It is computed anew each time, so it cannot be forgotten; and changes once a month, so copies of it can be compared.
    """
    years, month = divmod(moment.month - 1 + MONTHS_VALID, 12)
    return datetime(moment.year + years, month + 1, 1, tzinfo=UTC)
