"""What a search looks for, and whether some bytes hold it. Cost follows the bytes, not how many terms there are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

FEW = 32
"""Up to so many terms are looked for one by one, each at the speed of memory."""
HYPHENS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ANY_ID = re.compile(rb"(?=([0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}))")
"""An identifier at any place, also within a longer number: hence the lookahead."""


@dataclass(frozen=True)
class SearchTerms:
    """Of whom something may be left.

    ``scope`` is ``organisation`` or ``account``. ``identifiers`` are what else leads there: ids of jobs and keys,
    customers at Stripe, addresses. ``organisations`` are those in whose databases an account may have left traces.
    """

    scope: str
    subject_id: str
    identifiers: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


class Wanted:
    """The terms as bytes, identifiers with and without their hyphens; upper and lower case are the same."""

    def __init__(self, terms: SearchTerms) -> None:
        words = {word.lower() for word in (terms.subject_id, *terms.identifiers) if word}
        ids = {word for word in words if HYPHENS.fullmatch(word)}
        self.texts = words | {word.replace("-", "") for word in ids}
        self._ids = frozenset(text.encode() for text in ids | {word.replace("-", "") for word in ids})
        self._others = tuple(sorted(word.encode() for word in words - ids))
        self.longest = max((len(text.encode()) for text in self.texts), default=1)

    def counted(self, data: bytes) -> Counter[bytes]:
        """How often each term is in ``data``; terms that are not are left out."""
        lowered = data.lower()
        found: Counter[bytes] = Counter()
        if len(self._ids) > FEW:
            found.update(match[1] for match in _ANY_ID.finditer(lowered) if match[1] in self._ids)
        else:
            found.update({term: lowered.count(term) for term in self._ids})
        found.update({term: lowered.count(term) for term in self._others})
        return +found

    def found(self, data: bytes) -> int:
        """How many occurrences ``data`` holds."""
        return self.counted(data).total()
