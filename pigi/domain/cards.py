"""What passes for a payment card's number: refused where people write to Pigi, and looked for in what it holds."""

from __future__ import annotations

import re

CARD = re.compile(r"(?<![\w.+/=@-])[3-6](?:[ -]?\d){12,18}(?![\w+/=@-]|\.\w)", re.ASCII)
"""13 to 19 digits as cards have them (ISO/IEC 7812-1), set in groups or not; within an identifier or a mail address
they are none."""


def has_card_number(text: str) -> bool:
    """Whether digits in it pass for a card's number, check digit and all (ISO/IEC 7812-1, annex B)."""
    return any(_checks(re.sub(r"\D", "", found)) for found in CARD.findall(text))


def _checks(digits: str) -> bool:
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
