"""Anchors of the audit chain: its head, signed, and kept where whoever changes the database cannot reach it too.

What an anchor signs can neither be changed nor removed unseen. So each is written to the log as well, which
leaves the database; a saved one is held against the chain by ``pigi audit verify --anchor``.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from pigi.clock import now
from pigi.domain.audit import moment
from pigi.domain.audit_check import ANCHORED, BEGINS, Anchor, BrokenError, Walk, statement
from pigi.errors import Permanent
from pigi.operations.audit import ANCHOR, CONTENT, ENTRY, head
from pigi.operations.audit_chain import verify
from pigi.operations.audit_reading import anchors_in, links, use_of
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.context import JobContext
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
    with application.control.quick() as connection:
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


def prune(application: Application, before: datetime, most: int) -> int:
    """Remove up to ``most`` of the oldest entries, all from before a moment; a signed beginning takes their place.

    Raises Permanent ``audit_broken``: entries that do not hold together are evidence and stay.
    """
    with application.control.transaction() as connection:
        first, kept = (connection.execute(query).scalar() for query in (_FIRST, _FIRST.where(ENTRY.c.at >= before)))
        walk = Walk(anchors_in(connection, application.keyring.signer.public_keys))
        try:
            walk.begin(first)
            for link in links(connection, walk.seq + 1, None if kept is None else kept - 1, limit=most):
                walk.step(link)
        except BrokenError as error:
            raise Permanent("audit_broken") from error
        if walk.entries:
            _cut(connection, _sign(application.keyring, Anchor(walk.seq, walk.entry_hash, BEGINS), now()))
    return walk.entries


def _cut(connection: Connection, beginning: SignedHead) -> None:
    seq = beginning.seq
    for table in (ENTRY, CONTENT, ANCHOR):
        connection.execute(delete(table).where(table.c.seq <= seq))
    row = {name: getattr(beginning, name) for name in ("seq", "entry_hash", "at", "signature")}
    connection.execute(insert_into(connection, ANCHOR).values(row))
