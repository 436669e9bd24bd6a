"""Checking the audit chain, entry by entry, and telling what was done to it. Pure rules; no I/O.

Whoever can write to the database can also compute hashes. So a chain that hangs together says only that nobody
changed it clumsily; that nobody changed it at all up to an anchor, the anchor's signature says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pigi.domain.audit import BEGINNING, EntryContent, commitment, encode, entry_hash, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

ANCHORED = "pigi audit anchor 1"
BEGINS = "pigi audit beginning 1"
"""What an anchor's signature is for. A beginning says that what came before was pruned; a daily anchor must not
be able to say that, or whoever deletes the oldest entries could point at one."""
CONCURRENCY = 64
"""How far around a break its cause is looked for."""


class Flaw(StrEnum):
    """What was done to the chain."""

    ALTERED = "entry altered"
    REMOVED = "entry removed"
    INSERTED = "entry inserted"
    REORDERED = "entries reordered"
    TRUNCATED = "entries removed at the end"
    CONTENT_ALTERED = "content altered"
    CONTENT_REMOVED = "content removed without an erasure"
    CONTENT_STRAY = "content without its entry"
    ANCHOR_ALTERED = "anchor altered, or signed with a key that the keyring does not hold"


class BrokenError(Exception):
    """The chain is broken at ``seq``, or somewhere up to ``until``."""

    def __init__(self, seq: int, flaw: Flaw, until: int | None = None) -> None:
        super().__init__(flaw)
        self.seq, self.flaw, self.until = seq, flaw, until or seq


@dataclass(frozen=True)
class Link:
    """An entry as it was read. ``at`` is None if it is no moment; ``salt`` and ``content`` if they were erased."""

    seq: int
    at: datetime | None
    kind: str
    previous: str
    commitment: str
    entry_hash: str
    salt: bytes | None = None
    content: EntryContent | None = None

    def fits(self, seq: int) -> bool:
        """Whether its hash is that of its own facts, at this place in the chain."""
        if self.at is None:
            return False
        return self.entry_hash == entry_hash(self.previous, seq, self.at, self.kind, self.commitment)

    @property
    def content_fits(self) -> bool:
        """Whether the content is what the entry was made of."""
        if self.content is None or self.salt is None:
            return True
        return self.commitment == commitment(self.salt, self.content)


@dataclass(frozen=True)
class Anchor:
    """A head of the chain that was signed; ``use`` is what for, None if no known key signed it."""

    seq: int
    entry_hash: str
    use: str | None = None


def statement(seq: int, entry_hash: str, at: datetime) -> bytes:
    """What is signed of an anchor."""
    return encode(str(seq), entry_hash, moment(at))


class Walk:
    """Goes along the chain once; each step raises BrokenError at the first thing that is wrong."""

    def __init__(self, anchors: Mapping[int, Anchor]) -> None:
        self.seq, self.entry_hash = 0, BEGINNING
        self.entries = self.erased = 0
        self._anchors = dict(anchors)
        self._proved = 0

    def begin(self, first: int | None) -> None:
        """Start before entry ``first``, or at the end of a chain of which every entry was pruned."""
        for anchor in sorted(self._anchors.values(), key=lambda anchor: anchor.seq):
            if anchor.use is None:
                raise BrokenError(anchor.seq, Flaw.ANCHOR_ALTERED)
        early = [self._anchors.pop(seq) for seq in sorted(self._anchors) if first is None or seq < first]
        if not early and first in (None, 1):
            return
        last = early[-1] if early else Anchor(0, BEGINNING)
        if len(early) != 1 or last.use != BEGINS or last.seq + 1 != (first or last.seq + 1):
            raise BrokenError(1, Flaw.REMOVED, (first or last.seq + 1) - 1)
        self.seq = self._proved = last.seq
        self.entry_hash = last.entry_hash

    def step(self, link: Link) -> None:
        """Look at the next entry."""
        if link.seq != self.seq + 1:
            raise BrokenError(self.seq + 1, Flaw.REMOVED, link.seq - 1)
        if not link.fits(link.seq) or link.previous != self.entry_hash:
            raise BrokenError(link.seq, Flaw.ALTERED)
        if not link.content_fits:
            raise BrokenError(link.seq, Flaw.CONTENT_ALTERED)
        anchor = self._anchors.pop(link.seq, None)
        if anchor is not None:
            if anchor.entry_hash != link.entry_hash:
                raise BrokenError(self._proved + 1, Flaw.ALTERED, link.seq)
            self._proved = link.seq
        self.seq, self.entry_hash = link.seq, link.entry_hash
        self.entries += 1
        self.erased += link.content is None

    def end(self) -> None:
        """Nothing follows: no anchor may know of more."""
        if self._anchors:
            raise BrokenError(self.seq + 1, Flaw.TRUNCATED, max(self._anchors))


def diagnose(found: BrokenError, around: Sequence[Link]) -> BrokenError:
    """Say better what happened, from the entries within `CONCURRENCY` of the break."""
    if found.flaw is not Flaw.ALTERED or found.until != found.seq:
        return found
    links = {link.seq: link for link in around}
    here, seq = links[found.seq], found.seq
    if here.fits(seq):
        return _unlinked(seq, links)
    moved = next((place for place in _near(seq) if here.fits(place)), None)
    if moved is not None and moved < seq:
        # What comes earlier is sound, so either this repeats it, or an intruder there has pushed this aside.
        repeats = moved in links and links[moved].entry_hash == here.entry_hash
        return BrokenError(seq if repeats else moved, Flaw.INSERTED)
    if any(link.fits(seq) for link in around if link.seq != seq):
        return BrokenError(seq, Flaw.INSERTED if moved is None else Flaw.REORDERED)
    return found if moved is None else BrokenError(seq, Flaw.REMOVED)


def _unlinked(seq: int, links: Mapping[int, Link]) -> BrokenError:
    """Two entries, each sound in itself, do not follow each other: one was rewritten with its hash."""
    after = links.get(seq + 1)
    is_this = seq - 1 not in links or (after is not None and after.previous != links[seq].entry_hash)
    return BrokenError(seq if is_this else seq - 1, Flaw.ALTERED, seq)


def _near(seq: int) -> list[int]:
    return [place for step in range(1, CONCURRENCY + 1) for place in (seq - step, seq + step)]
