"""Where something is in a text, as people count it."""

from __future__ import annotations

import re

_LINE_BREAK = re.compile(r"\r\n?|\n")


def position_in(text: str, place: int) -> tuple[int, int]:
    """The line and the column of a place in ``text``, both counted from 1; a line ends as any system ends it."""
    line, start = 1, 0
    for line_break in _LINE_BREAK.finditer(text, 0, place):
        line, start = line + 1, line_break.end()
    return line, place - start + 1
