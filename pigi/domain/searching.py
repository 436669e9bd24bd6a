"""Comparing names with what people look for: without regard to case, accents and the marks between words."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

QUERY_LENGTH: Final = 120
"""Characters of what is looked for: no name that people see is longer by much."""

# Letters that Unicode does not take apart into a base and a mark, and that people write without it.
_PLAIN = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d",
})  # fmt: skip
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NUMBER = re.compile(r"\d+|\D+")
_BETWEEN = re.compile(r"[\W_]+")


def folded_words(text: str) -> tuple[str, ...]:
    """The words of ``text`` as they are compared: ``codeReviewer``, ``Code-Réviewer`` and ``code_reviewer`` are one."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    words = _CAPITAL.sub(" ", text).casefold().translate(_PLAIN)
    return tuple(filter(None, _BETWEEN.split(words)))


def sort_key(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Where a name stands in a list: by its words, and by numbers as numbers, ``agent-2`` before ``agent-10``."""
    parts = (part for word in folded_words(name) for part in _NUMBER.findall(word))
    return tuple((False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts)


def rank(wanted: tuple[str, ...], name: str) -> int | None:
    """How well a name fits what is looked for, as `folded_words`: 0 is best, None is not at all.

    0: the whole name; 1: its beginning; 2: each wanted word begins one of the name's; 3: each is somewhere in it.
    """
    words = folded_words(name)
    whole, joined = "".join(words), "".join(wanted)
    if not joined:
        return None
    if whole.startswith(joined):
        return 0 if whole == joined else 1
    if all(any(word.startswith(one) for word in words) for one in wanted):
        return 2
    return 3 if all(one in whole for one in wanted) else None
