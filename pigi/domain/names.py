"""The rule for every name that people type: of themselves, organisations, keys, projects, and titles of resources.

A name is 1 to 120 characters on one line of which at least one is visible, written in any script: directional marks and
joiners belong to it. It holds no control characters, and none that turn or hide text.
"""

from __future__ import annotations

import re
from typing import Final

from pigi.domain.characters import FAINT, NOT_IN_NAMES, as_class, can_be_seen, unseen_in_name

NAME_LENGTH: Final = 120
"""Characters (Unicode code points) of a name."""
WORDS: Final = (
    f"1 to {NAME_LENGTH} characters on one line, in any script; no control characters, and none that turn or hide text."
)

# Controls of ISO 6429 and the line and paragraph separators; surrogates that no encoding takes.
_NOT_IN_A_LINE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(f"[{as_class(*NOT_IN_NAMES)}]")
_MARKS = re.compile(f"[{as_class(*FAINT)}]")


def flaw_in_name(text: str) -> str:
    """What keeps ``text``, without the space around it, from being a name; empty if nothing does."""
    if len(text) > NAME_LENGTH:
        return f"must have at most {NAME_LENGTH} characters"
    control = _NOT_IN_A_LINE.search(text)
    if control:
        return f"holds a line break or control character (U+{ord(control[0]):04X}) at column {control.start() + 1}"
    for one in unseen_in_name(text):
        return f"holds {one.what} at column {one.column}, which cannot be seen and hides or turns text; remove it"
    return "" if can_be_seen(text) else "must hold something that can be seen"


def checked_name(text: str) -> str:
    """``text``, for a schema's field; raises ValueError with what keeps it from being a name."""
    flaw = flaw_in_name(text)
    if flaw:
        raise ValueError(flaw)
    return text


def is_name(text: str) -> bool:
    """Whether ``text``, without the space around it, is a name."""
    return not flaw_in_name(text)


def without_hidden(text: str) -> str:
    """``text`` without what no name may hold of characters that nobody sees."""
    return _NOT_IN_NAMES.sub("", text)


def without_marks(text: str) -> str:
    """``text`` without marks and joiners: what two names differ by that read the same."""
    return _MARKS.sub("", text)
