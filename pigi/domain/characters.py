"""Characters that nobody sees: those that scripts and emoji need, and those that hide text from its readers.

Directional marks, joiners, soft hyphens and variation selectors belong to writing and stay. What is left over by
editors is worth a look. What can carry a text that a person does not see and a model reads is told apart: tag
characters outside of flags, directions that are turned and not turned back, runs of characters without width.
Sources: Unicode UTS 39 and UAX 9; UTS 51, section 1.4.8, for flags; CVE-2021-42574.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from pigi.domain.positions import position_in

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 5
"""Places that are told of one text."""
BULK: Final = 8
"""So many invisible operators stand in no formula that somebody typed."""

NOT_IN_NAMES: Final = (
    (0x00AD, 0x00AD), (0x115F, 0x1160), (0x180E, 0x180E), (0x200B, 0x200B), (0x202A, 0x202E), (0x2060, 0x206F),
    (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0xE0000, 0xE00FF),
    (0xE01F0, 0xE0FFF),
)  # fmt: skip
"""What no name needs: it hides, turns direction, or makes two names look the same."""
FAINT: Final = ((0x034F, 0x034F), (0x061C, 0x061C), (0x200C, 0x200F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""What names in some scripts and emoji need, and what is no name on its own."""
NOT_IN_VALUES: Final = (*NOT_IN_NAMES, (0x061C, 0x061C), (0x200E, 0x200F))
"""What no address, command or pattern needs: two that differ by it look the same."""


def as_class(*ranges: tuple[int, int]) -> str:
    """The inside of a character class with these ranges."""
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)


_ANY = re.compile(f"[{as_class(*NOT_IN_NAMES, *FAINT, (0x17B4, 0x17B5), (0x180B, 0x180F))}\ue000-\uf8ff"
                  "\U00040000-\U0010ffff]")  # fmt: skip
_IN_VALUE = re.compile(f"[{as_class(*NOT_IN_VALUES)}]")
_IN_NAME = re.compile(f"[{as_class(*NOT_IN_NAMES)}]")
_SEEN = re.compile(f"[^\\s{as_class(*FAINT)}]")
_NO_WIDTH = as_class(
    (0x00AD, 0x00AD), (0x180B, 0x180F), (0x2060, 0x2064), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), *FAINT, (0x200B, 0x200B)
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
# Between words of scripts that write none apart, a space without width is where a line may end.
_WORDS_TOGETHER = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1a20-\u1aaf\ua9e0-\ua9ff]")
_HIDING = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f)"
    "|(?P<hides>[\U000e0000-\U000e007f]+"
    "|[\ufff9-\ufffb\u206a-\u206f]+"
    f"|[{_SELECTORS}]{{2,}}"
    f"|(?<![{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]"
    f"|[{_NO_WIDTH}]{{4,}})"
    "|(?P<left>[\u200b\ufeff\u180e\u115f\u1160\u3164\uffa0\u2060-\u2064]"
    "|[\ue000-\uf8ff\U00040000-\U000dffff\U000e0080-\U000e00ff\U000e01f0-\U0010ffff]{4,})"
)
_OPERATORS = re.compile("[\u2060-\u2064]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]|\r\n?|[\n\u2029]")
_OVERRIDES: Final = "\u202d\u202e"
_CLOSED_BY: Final = {"\u202c": "\u202a\u202b\u202d\u202e", "\u2069": "\u2066\u2067\u2068"}


@dataclass(frozen=True)
class Unseen:
    """Characters that nobody sees, from ``line`` and ``column`` on, counted from 1.

    ``what`` names the first of them by its code point; ``hides`` says whether they can hide text.
    """

    hides: bool
    line: int
    column: int
    what: str


def unseen_in_prose(text: str) -> tuple[Unseen, ...]:
    """What cannot be seen in ``text`` and is no part of writing it, at most `MOST` of each sort, in order."""
    if text.isascii() or not _ANY.search(text):
        return ()
    found = sorted({*_characters(text), *_directions(text)})
    hiding = list(islice((one for one in found if one[1]), MOST))
    left = list(islice((one for one in found if not one[1]), MOST))
    return tuple(_unseen(text, place, hides=hides) for place, hides in sorted([*hiding, *left]))


def unseen_in_value(text: str) -> tuple[Unseen, ...]:
    """What cannot be seen in an address, a command, a pattern or another value on one line; all of it hides."""
    if text.isascii():
        return ()
    return tuple(_unseen(text, match.start(), hides=True) for match in islice(_IN_VALUE.finditer(text), MOST))


def unseen_in_name(text: str) -> tuple[Unseen, ...]:
    """What cannot be seen in a name that people type and that no script needs there; all of it hides."""
    if text.isascii():
        return ()
    return tuple(_unseen(text, match.start(), hides=True) for match in islice(_IN_NAME.finditer(text), MOST))


def can_be_seen(text: str) -> bool:
    """Whether anything of ``text`` shows: more than spaces, joiners and marks."""
    return _SEEN.search(text) is not None


def _unseen(text: str, place: int, *, hides: bool) -> Unseen:
    return Unseen(hides, *position_in(text, place), f"U+{ord(text[place]):04X}")


def _characters(text: str) -> Iterator[tuple[int, bool]]:
    bulk = len(_OPERATORS.findall(text)) >= BULK
    for match in _HIDING.finditer(text):
        if match["hides"]:
            yield match.start(), True
        elif match["left"] and not _ends_a_word(text, match.start()):
            yield match.start(), bulk and bool(_OPERATORS.match(match["left"]))


def _ends_a_word(text: str, place: int) -> bool:
    beside = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    return text[place] == "\u200b" and _WORDS_TOGETHER.search(beside) is not None


def _directions(text: str) -> Iterator[tuple[int, bool]]:
    """Controls of direction: those that are left open at the end of their paragraph hide, as UAX 9 ends them there."""
    opened: list[int] = []
    for match in _DIRECTION.finditer(text):
        sign, place = match[0], match.start()
        if sign in _CLOSED_BY:
            if opened and text[opened[-1]] in _CLOSED_BY[sign]:
                start = opened.pop()
                if text[start] in _OVERRIDES:
                    yield start, False
            else:
                yield place, False
        elif sign[0] in "\r\n\u2029":
            yield from ((start, True) for start in opened)
            opened = []
        else:
            opened.append(place)
    yield from ((start, True) for start in opened)
