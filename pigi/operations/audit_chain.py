"""Proving the audit chain: reading it in one snapshot and checking every hash, gap, commitment and anchor."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pigi.domain.audit_check import ANCHORED, WINDOW, BrokenError, Flaw, Link, Walk, diagnose, statement
from pigi.operations.audit import CONTENT, ENTRY, ERASED
from pigi.operations.audit_reading import anchors_in, links
from pigi.store.signing import is_signed
from pigi.store.snapshots import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.audit_check import Anchor
    from pigi.operations.audit_anchors import SignedHead

BATCH = 1000
KEPT, TOO_OLD, NOT_SIGNED = "the chain still contains it", "what it signs was pruned", "no trusted key signed it"
"""What becomes of a head that was kept elsewhere."""


@dataclass(frozen=True)
class Verdict:
    """What was found. ``seq`` to ``until`` is where it is broken first; ``saved`` says what became of a saved head."""

    ok: bool
    entries: int
    erased: int
    anchors: int
    last: int
    head: str
    flaw: str | None = None
    seq: int | None = None
    until: int | None = None
    saved: str | None = None


def verify(
    application: Application,
    saved: SignedHead | None = None,
    keys: Sequence[str] = (),
    on_batch: Callable[[int], None] = lambda _seq: None,
) -> Verdict:
    """Check the whole chain.

    Args:
        application: whose chain.
        saved: a signed head that was kept elsewhere, which the chain must still contain.
        keys: public keys to trust beside the keyring's own.
        on_batch: called with the number of the last entry looked at; may raise to stop.
    """
    trusted = [*application.keyring.signer.public_keys, *keys]
    with snapshot(application.control) as connection:
        anchors = anchors_in(connection, trusted)
        walk = Walk(anchors)
        try:
            _go(connection, walk, on_batch)
            verdict = Verdict(True, *_found(walk, anchors))
            return verdict if saved is None else _compared(connection, verdict, anchors, saved, trusted)
        except BrokenError as error:
            broken = diagnose(error, list(links(connection, error.seq - WINDOW, error.seq + WINDOW)))
            return Verdict(False, *_found(walk, anchors), broken.flaw, broken.seq, broken.until)


def _found(walk: Walk, anchors: Mapping[int, Anchor]) -> tuple[int, int, int, int, str]:
    return walk.entries, walk.erased, len(anchors), walk.seq, walk.entry_hash


def _go(connection: Connection, walk: Walk, on_batch: Callable[[int], None]) -> None:
    walk.begin(connection.execute(select(func.min(ENTRY.c.seq))).scalar())
    told = 0
    while batch := list(links(connection, walk.seq + 1, limit=BATCH)):
        for link in batch:
            walk.step(link)
            told += _told_erased(link)
        on_batch(walk.seq)
    walk.end()
    stray = (
        select(func.min(CONTENT.c.seq))
        .join_from(CONTENT, ENTRY, CONTENT.c.seq == ENTRY.c.seq, isouter=True)
        .where(ENTRY.c.seq.is_(None))
    )
    found = connection.execute(stray).scalar()
    if found is not None:
        raise BrokenError(min(found, walk.seq + 1), Flaw.TRUNCATED if found > walk.seq else Flaw.CONTENT_STRAY, found)
    if walk.erased > told:
        raise BrokenError(_first_without_content(connection), Flaw.CONTENT_REMOVED, walk.seq)


def _told_erased(link: Link) -> int:
    """How many contents the chain says were erased by this act; an erasure is never pruned before what it erased."""
    if link.kind != ERASED or link.content is None:
        return 0
    return int(json.loads(link.content.details)["count"])


def _first_without_content(connection: Connection) -> int:
    bare = (
        select(func.min(ENTRY.c.seq))
        .join_from(ENTRY, CONTENT, CONTENT.c.seq == ENTRY.c.seq, isouter=True)
        .where(CONTENT.c.seq.is_(None))
    )
    return int(connection.execute(bare).scalar_one())


def _compared(
    connection: Connection, sound: Verdict, anchors: Mapping[int, Anchor], saved: SignedHead, trusted: Sequence[str]
) -> Verdict:
    """The verdict on a sound chain, held against a head that was kept elsewhere."""
    signed = statement(saved.seq, saved.entry_hash, saved.at)
    if not any(is_signed(key, ANCHORED, signed, saved.signature) for key in trusted):
        return replace(sound, ok=False, saved=NOT_SIGNED)
    if saved.seq > sound.last:
        raise BrokenError(sound.last + 1, Flaw.TRUNCATED, saved.seq)
    held = {seq: anchor.entry_hash for seq, anchor in anchors.items()}
    held |= {link.seq: link.entry_hash for link in links(connection, saved.seq, saved.seq)}
    if saved.seq not in held:
        return replace(sound, saved=TOO_OLD)
    if held[saved.seq] != saved.entry_hash:
        raise BrokenError(sound.last - sound.entries + 1, Flaw.ALTERED, saved.seq)
    return replace(sound, saved=KEPT)
