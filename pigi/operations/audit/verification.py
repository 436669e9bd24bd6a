"""Verification of the audit chain, and its anchors: heads that are signed and also kept outside the database.

What an anchor signs can neither be changed nor removed unseen. So each is written to the log as well, which
leaves the database; a saved one is held against the chain by ``pigi audit verify --anchor``.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from pigi.clock import now
from pigi.domain.audit import moment
from pigi.domain.audit_check import (
    ANCHORED,
    BEGINS,
    CONCURRENCY,
    Anchor,
    BrokenError,
    Flaw,
    Link,
    Walk,
    diagnose,
    statement,
)
from pigi.errors import Permanent
from pigi.operations.audit.chain import ANCHOR, CONTENT, ENTRY, ERASED, erase_old_content, head
from pigi.operations.audit.reading import anchors_in, links, use_of
from pigi.store.engines import insert_into
from pigi.store.holds import lock_holds
from pigi.store.sessions import snapshot
from pigi.store.signing import is_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.keyring import Keyring

logger = logging.getLogger(__name__)

_FIRST = select(func.min(ENTRY.c.seq))


@dataclass(frozen=True)
class SignedHead:
    """A head of the chain with its signature, which `public_key` checks; the form in which one is kept elsewhere."""

    seq: int
    entry_hash: str
    at: datetime
    signature: str
    public_key: str

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps({**vars(self), "at": moment(self.at)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> SignedHead:
        """What `to_json` wrote; raises ValueError for anything else."""
        try:
            found = json.loads(text)
            at = datetime.fromisoformat(found["at"])
            words = (str(found[name]) for name in ("signature", "public_key"))
            return cls(int(found["seq"]), str(found["entry_hash"]), at, *words)
        except (KeyError, TypeError) as error:
            raise ValueError from error


def signed_head(application: Application) -> SignedHead:
    """The head as it is now, signed; with the chain's beginning for a chain without entries."""
    with application.control.autocommit() as connection:
        last = head(connection)
    return _sign(application.keyring, Anchor(last.seq, last.entry_hash, ANCHORED), now())


def _sign(keyring: Keyring, anchor: Anchor, at: datetime) -> SignedHead:
    signature = keyring.signer.sign(anchor.use or ANCHORED, statement(anchor.seq, anchor.entry_hash, at))
    return SignedHead(anchor.seq, anchor.entry_hash, at, signature, keyring.signer.public_keys[0])


def anchor_daily(context: JobContext, application: Application) -> None:
    """Check the chain and sign its head; raises Permanent ``audit_broken``, since a broken chain is never signed."""
    verdict = verify(application, on_batch=lambda _seq: context.checkpoint())
    if not verdict.ok:
        logger.error("audit chain broken: %s, entry %s", verdict.flaw, verdict.seq)
        raise Permanent("audit_broken")
    renew(application)
    signed = _sign(application.keyring, Anchor(verdict.last, verdict.head, ANCHORED), now())
    if verdict.last:
        with application.control.transaction() as connection:
            row = {name: getattr(signed, name) for name in ("seq", "entry_hash", "at", "signature")}
            connection.execute(insert_into(connection, ANCHOR).values(row).on_conflict_do_nothing())
    logger.info("audit anchor: %s", signed.to_json())


def renew(application: Application) -> int:
    """Sign with the keyring's first key what another of its keys signed, so that the other can be taken away."""
    first, *others = application.keyring.signer.public_keys
    renewed = 0
    with application.control.transaction() as connection:
        for row in connection.execute(select(ANCHOR)).all() if others else ():
            anchor = Anchor(row.seq, row.entry_hash)
            use = use_of(anchor, row.at, row.signature, others)
            if use is None or use_of(anchor, row.at, row.signature, [first]):
                continue
            signed = _sign(application.keyring, Anchor(row.seq, row.entry_hash, use), row.at)
            connection.execute(update(ANCHOR).where(ANCHOR.c.seq == row.seq).values(signature=signed.signature))
            renewed += 1
    return renewed


def anchors_not_renewed(application: Application) -> int:
    """How many anchors only another key than the keyring's first has signed; `renew` brings it to 0."""
    first, *others = application.keyring.signer.public_keys
    with application.control.autocommit() as connection:
        rows = connection.execute(select(ANCHOR)).all() if others else ()
    anchors = [(Anchor(row.seq, row.entry_hash), row.at, row.signature) for row in rows]
    return sum(use_of(*one, others) is not None and use_of(*one, [first]) is None for one in anchors)


def prune(application: Application, before: datetime, most: int, held: ColumnElement[bool] | None = None) -> int:
    """Remove up to ``most`` of the oldest entries, all from before a moment; a signed beginning takes their place.

    Entries whose content is ``held`` stay, and with them what hangs on them: all later ones. Of those, only the
    hashes are needed, so contents that are not held are erased. Returns how many entries or contents went.

    Raises Permanent ``audit_broken``: entries that do not hold together are evidence and stay.
    """
    with application.control.transaction() as connection:
        lock_holds(connection, shared=True)
        stays = ENTRY.c.at >= before
        if held is not None:
            stays |= ENTRY.c.seq.in_(select(CONTENT.c.seq).where(held))
        first, kept = (connection.execute(query).scalar() for query in (_FIRST, _FIRST.where(stays)))
        walk = Walk(anchors_in(connection, application.keyring.signer.public_keys))
        try:
            walk.begin(first)
            for link in links(connection, walk.seq + 1, None if kept is None else kept - 1, limit=most):
                walk.step(link)
        except BrokenError as error:
            raise Permanent("audit_broken") from error
        if walk.entries:
            _cut(connection, _sign(application.keyring, Anchor(walk.seq, walk.entry_hash, BEGINS), now()))
    return walk.entries or (0 if held is None else erase_old_content(application, before, most, held))


def _cut(connection: Connection, beginning: SignedHead) -> None:
    seq = beginning.seq
    for table in (ENTRY, CONTENT, ANCHOR):
        connection.execute(delete(table).where(table.c.seq <= seq))
    row = {name: getattr(beginning, name) for name in ("seq", "entry_hash", "at", "signature")}
    connection.execute(insert_into(connection, ANCHOR).values(row))


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
            broken = diagnose(error, list(links(connection, error.seq - CONCURRENCY, error.seq + CONCURRENCY)))
            return Verdict(False, *_found(walk, anchors), broken.flaw, broken.seq, broken.until)


def verify_newest(application: Application, most: int = BATCH) -> tuple[int, Flaw | None]:
    """Check up to ``most`` of the newest entries, and that no signed head is missing; how many, and what is wrong.

    It costs the same however long the chain is. What came before them, the daily check has looked at.
    """
    with snapshot(application.control) as connection:
        anchors = anchors_in(connection, application.keyring.signer.public_keys)
        if any(anchor.use is None for anchor in anchors.values()):
            return 0, Flaw.ANCHOR_ALTERED
        newest = list(links(connection, max(1, head(connection).seq - most + 1)))
    # Of a chain that was pruned whole nothing is left but the beginning, and that no entry can bear out.
    first = newest[0].seq if newest else 0
    walk = Walk({seq: anchor for seq, anchor in anchors.items() if seq >= first and anchor.use == ANCHORED})
    if newest:
        walk.seq, walk.entry_hash = first - 1, newest[0].previous
    try:
        for link in newest:
            walk.step(link)
        walk.end()
    except BrokenError as error:
        return walk.entries, error.flaw
    return walk.entries, None


def _found(walk: Walk, anchors: Mapping[int, Anchor]) -> tuple[int, int, int, int, str]:
    return walk.entries, walk.erased, len(anchors), walk.seq, walk.entry_hash


def _go(connection: Connection, walk: Walk, on_batch: Callable[[int], None]) -> None:
    walk.begin(connection.execute(select(func.min(ENTRY.c.seq))).scalar())
    erasures = 0
    while batch := list(links(connection, walk.seq + 1, limit=BATCH)):
        for link in batch:
            walk.step(link)
            erasures += _recorded_erasures(link)
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
    if walk.erased > erasures:
        raise BrokenError(_first_without_content(connection), Flaw.CONTENT_REMOVED, walk.seq)


def _recorded_erasures(link: Link) -> int:
    """How many contents this entry says were erased; an erasure is never pruned before what it erased."""
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
