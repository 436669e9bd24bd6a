"""Entity tags and the conditions that requests make of them (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE, where etagc may be a comma; a list may have empty elements.
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_ONE = re.compile(_TAG)
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
LONGEST: Final = 4000
"""Characters of a header that are looked at; a client that knows more tags knows too many."""


@dataclass(frozen=True)
class Tags:
    """What an If-Match or If-None-Match header lists. A header that cannot be read lists nothing."""

    anything: bool = False
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()

    def match_strongly(self, tag: str) -> bool:
        """Whether a thing with the strong ``tag`` (quotes included) is listed; weak tags never match (If-Match)."""
        return self.anything or tag in self.strong

    def match_weakly(self, tag: str) -> bool:
        """The same, where a weak tag matches too (If-None-Match)."""
        return self.anything or tag in self.strong or tag in self.weak


def read_tags(header: str | None) -> Tags | None:
    """What the header says; None if it was not sent."""
    if header is None:
        return None
    if header.strip() == "*":
        return Tags(anything=True)
    if len(header) > LONGEST or not _LIST.fullmatch(header):
        return Tags()
    found = _ONE.findall(header)
    weak = frozenset(tag.removeprefix("W/") for tag in found if tag.startswith("W/"))
    return Tags(strong=frozenset(tag for tag in found if not tag.startswith("W/")), weak=weak)


def tag_of(revision: int, state: str = "active") -> str:
    """The entity tag of a revision. What is archived reads differently, so it has a tag of its own."""
    return f'"{revision}"' if state == "active" else f'"{revision}-{state}"'
