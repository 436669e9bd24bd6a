"""What differs between two versions, sentence by sentence and word by word, for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pigi.domain.materiality import compare_policies

if TYPE_CHECKING:
    from pigi.domain.policy import Policy, Sentence

WORDS = re.compile(r"\w[\w'\u2019-]*\s*|[^\w\s]\s*|\s+")
ALIKE = 0.4
"""How much of two sentences is the same, at least, where single words are shown: else a reader sees a patchwork."""


@dataclass(frozen=True)
class SentenceDifference:
    """A sentence that differs.

    Attributes:
        id: the sentence's.
        kind: added, removed or changed.
        pieces: its text in pieces, each with whether it is kept, removed or added.
        promises: its promises that came, each after a plus, and that went, after a minus.
        reasons: why it is material, if it is.
    """

    id: str
    kind: str
    pieces: tuple[tuple[str, str], ...]
    promises: tuple[str, ...]
    reasons: tuple[str, ...]


def differences(before: Policy, after: Policy) -> list[SentenceDifference]:
    """The sentences that differ, in the order of the newer version; those that are gone come last."""
    old, new = ({one.id: one for one in policy.sentences} for policy in (before, after))
    return [
        _difference(change.id, change.kind, old.get(change.id), new.get(change.id), change.reasons)
        for change in compare_policies(before, after)
        if change.id in old or change.id in new
    ]


def _difference(
    key: str, kind: str, before: Sentence | None, after: Sentence | None, reasons: tuple[str, ...]
) -> SentenceDifference:
    was, now = (() if one is None else one.promises for one in (before, after))
    promises = [f"+{one}" for one in now if one not in was] + [f"-{one}" for one in was if one not in now]
    texts = ("" if one is None else one.text for one in (before, after))
    return SentenceDifference(key, kind, tuple(_pieces(*texts)), tuple(promises), reasons)


def _pieces(before: str, after: str) -> list[tuple[str, str]]:
    """Words, each with the space behind it; where little is the same, all of the old and all of the new."""
    old, new = WORDS.findall(before), WORDS.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [(what, text) for what, text in (("removed", before), ("added", after)) if text]
    found: list[tuple[str, str]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found.append(("kept", "".join(old[a:b])))
            continue
        found += [(what, "".join(words)) for what, words in (("removed", old[a:b]), ("added", new[c:d])) if words]
    return found
