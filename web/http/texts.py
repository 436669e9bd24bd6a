"""Text that clients may send: what is allowed, as a check and as the pattern that the API document shows.

Both say the same; tests/web/http/test_texts.py holds them together. Lengths count characters (Unicode code
points), as JSON Schema does, not bytes.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from pigi.domain.addresses import LONGEST as LONGEST_ADDRESS
from pigi.domain.addresses import PATTERN as ADDRESS_PATTERN
from pigi.domain.addresses import AddressError, read_address
from pigi.domain.cards import has_card_number
from pigi.domain.characters import FAINT, NOT_IN_NAMES
from pigi.domain.contact import MESSAGE_LENGTH
from pigi.domain.limits import DESCRIPTION_LENGTH
from pigi.domain.names import NAME_LENGTH, WORDS, checked_name
from pigi.domain.privacy_requests import DETAIL_LENGTH
from pigi.flaws import pattern

PURPOSE_LENGTH = 2000
WHY_LENGTH = 500
PASSWORD_LENGTH = 1024
"""Of what is typed: `pigi.domain.passwords` counts composed characters, of which each may be several of these."""

_FOUR_DIGITS = 0xFFFF
# Unicode's White_Space, written out: regular expression engines disagree about \s.
_SPACE = r"\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_BREAK = r"\u2028\u2029"
_PROSE_CONTROL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"


# Beyond four digits an escape is written differently by each engine, so those stand for themselves.
def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    signs = ((rf"\u{sign:04x}" if sign <= _FOUR_DIGITS else chr(sign) for sign in each) for each in ranges)
    return "".join("-".join(each) for each in signs)


_HIDDEN, _FAINT = _class(NOT_IN_NAMES), _class(FAINT)
_INSIDE = rf"[^{_CONTROL}{_BREAK}]"
_EDGE = rf"[^{_CONTROL}{_SPACE}]"
NAME_PATTERN = (
    rf"^(?=[\s\S]*[^{_SPACE}{_CONTROL}{_FAINT}])[{_SPACE}]*[^{_CONTROL}{_SPACE}{_HIDDEN}]"
    rf"([^{_CONTROL}{_BREAK}{_HIDDEN}]{{0,{NAME_LENGTH - 2}}}[^{_CONTROL}{_SPACE}{_HIDDEN}])?[{_SPACE}]*$"
)
WHY_PATTERN = rf"^[{_SPACE}]*{_EDGE}({_INSIDE}{{0,{WHY_LENGTH - 2}}}{_EDGE})?[{_SPACE}]*$"
PURPOSE_PATTERN = rf"^[^{_PROSE_CONTROL}]*[^{_PROSE_CONTROL}{_SPACE}][^{_PROSE_CONTROL}]*$"
DESCRIPTION_PATTERN = rf"^[^{_PROSE_CONTROL}]*$"
VISIBLE_DESCRIPTION_PATTERN = rf"^[^{_PROSE_CONTROL}{_HIDDEN}]*$"
"""What `pigi.domain.resources.saving.check_words` lets through of the same."""
EMAIL_PATTERN = rf"^[{_SPACE}]*{ADDRESS_PATTERN[1:-1]}[{_SPACE}]*$"
ID_PATTERN = pattern(
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "must be an id, such as 0193a2b4-7c1e-7d3f-9a55-0c2f6e8b1d47",
)

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPACES = re.compile(rf"\A[{_SPACE}]+|[{_SPACE}]+\Z")
_ONLY_SPACE = re.compile(rf"[{_SPACE}]*")

_NOT_IN_A_LINE = re.compile(rf"[{_CONTROL}{_BREAK}]")
_NOT_IN_PROSE = re.compile(rf"[{_PROSE_CONTROL}]")


def _day(value: Any) -> Any:
    """A strict model takes no text for a date, and `date.fromisoformat` takes more forms than RFC 3339."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        message = "must be a date such as 2026-03-01"
        raise ValueError(message)
    return date.fromisoformat(value)


def _trimmed(value: Any) -> Any:
    if isinstance(value, str) and value and (value[0].isspace() or value[-1].isspace()):
        return _SPACES.sub("", value)
    return value


def _one_line(text: str) -> str:
    if _NOT_IN_A_LINE.search(text):
        message = "line breaks and control characters are not allowed"
        raise ValueError(message)
    return text


def _no_card(text: str) -> str:
    """For what is kept as it is, unsealed: promise P02, whose probe would find it there and show it to everybody."""
    if has_card_number(text):
        message = "must not hold a payment card's number: Pigi keeps none"
        raise ValueError(message)
    return text


def _prose(text: str) -> str:
    if _ONLY_SPACE.fullmatch(text):
        message = "must not be blank"
        raise ValueError(message)
    return _free_prose(text)


def _free_prose(text: str) -> str:
    if _NOT_IN_PROSE.search(text):
        message = "control characters other than tabs and line breaks are not allowed"
        raise ValueError(message)
    return text


def _address(text: str) -> str:
    try:
        return read_address(text)
    except AddressError as error:
        message = f"must be an e-mail address. {error}"
        raise ValueError(message) from None


_NAME = Field(description=f"A name: {WORDS} Space around it is dropped.", json_schema_extra={"pattern": NAME_PATTERN})
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    BeforeValidator(_trimmed),
    AfterValidator(checked_name),
    _NAME,
]
"""What people call a project or a resource."""
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH),
    BeforeValidator(_trimmed),
    AfterValidator(checked_name),
    AfterValidator(_no_card),
    _NAME,
]
"""What people call an organisation, a key or themselves; kept as it is, unsealed."""
Why = Annotated[
    str,
    StringConstraints(min_length=1, max_length=WHY_LENGTH),
    BeforeValidator(_trimmed),
    AfterValidator(_one_line),
    AfterValidator(_no_card),
    Field(
        description=f"1 to {WHY_LENGTH} characters on one line; space around them is dropped.",
        json_schema_extra={"pattern": WHY_PATTERN},
    ),
]
"""Why an operator does something."""
Email = Annotated[
    str,
    StringConstraints(max_length=LONGEST_ADDRESS),
    BeforeValidator(_trimmed),
    AfterValidator(_address),
    Field(
        description="An e-mail address; space around it is dropped, and a domain beyond ASCII kept in its ASCII form.",
        # No format: JSON Schema's know neither space around an address nor such domains.
        json_schema_extra={"pattern": EMAIL_PATTERN},
    ),
]
Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PASSWORD_LENGTH),
    Field(json_schema_extra={"format": "password"}),
]
"""As it was typed; which may be chosen is for `pigi.domain.passwords` to say."""
Code = Annotated[
    str,
    StringConstraints(pattern=pattern(r"^[0-9A-Za-z -]{6,40}$", "must be six digits, or a recovery code")),
    Field(description="Six digits from the device, or a recovery code; spaces and hyphens do not count."),
]
Purpose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PURPOSE_LENGTH),
    AfterValidator(_prose),
    Field(
        description="What the resource is for, in the asker's words. Pigi erases it when the job ends.",
        json_schema_extra={"pattern": PURPOSE_PATTERN},
    ),
]
Told = Annotated[
    str,
    StringConstraints(min_length=1, max_length=DETAIL_LENGTH),
    AfterValidator(_prose),
    AfterValidator(_no_card),
    Field(
        description=f"1 to {DETAIL_LENGTH} characters, with line breaks as wanted.",
        json_schema_extra={"pattern": PURPOSE_PATTERN},
    ),
]
"""What somebody writes to whoever runs Pigi, or is answered."""
Message = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MESSAGE_LENGTH),
    AfterValidator(_prose),
    Field(
        description=f"1 to {MESSAGE_LENGTH} characters, with line breaks as wanted.",
        json_schema_extra={"pattern": PURPOSE_PATTERN},
    ),
]
"""A message on the contact page, and its answer."""
Description = Annotated[
    str,
    StringConstraints(max_length=DESCRIPTION_LENGTH),
    AfterValidator(_free_prose),
    Field(
        description=f"What it is for, up to {DESCRIPTION_LENGTH} characters; may be empty.",
        json_schema_extra={"pattern": DESCRIPTION_PATTERN},
    ),
]
Day = Annotated[date, BeforeValidator(_day)]
"""A day, as RFC 3339 writes it."""
