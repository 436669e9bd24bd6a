"""Writing the audit chain: access changes and operators' acts, in the transaction that makes them (P19).

Entries must come one after another, so whoever appends holds up whoever else does, until the commit. Hence
entries are kept back until their transaction commits and written last: nothing else is locked after that, so
nobody can wait for each other in a circle, and the time held is that of the commit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, event, insert, or_, select, true

from pigi.clock import now
from pigi.domain.audit import BEGINNING, MOST_A_DAY, SALT_BYTES, EntryContent, commitment, content_of, entry_hash
from pigi.domain.dear_acts import dear_act
from pigi.errors import Refused
from pigi.operations.access import is_vouched_for
from pigi.operations.audit.telling import tell
from pigi.operations.plans import count_today
from pigi.store.engines import lock_name
from pigi.store.holds import lock_holds
from pigi.store.ledgers import AuditAnchor, AuditContent, AuditEntry
from pigi.store.sessions import ControlSession

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.orm import SessionTransaction

    from pigi.application import Application

ENTRY: Any = AuditEntry.__table__
CONTENT: Any = AuditContent.__table__
ANCHOR: Any = AuditAnchor.__table__
LOCK = "audit chain"
ERASED = "audit.content_erased"
CLI = "operator:cli"
"""The actor of commands: whoever may start them on the installation's machine is an operator."""
PIGI = "pigi"
"""The actor of what Pigi does by itself."""


@dataclass(frozen=True)
class Head:
    """The end of the chain; ``seq`` 0 is a chain without entries."""

    seq: int
    entry_hash: str


@dataclass(frozen=True)
class _Act:
    kind: str
    at: datetime
    content: EntryContent
    within: SessionTransaction | None


def record(  # noqa: PLR0913 - an act's facts, each named at the call
    session: ControlSession,
    application: Application,
    kind: str,
    actor: str,
    organisation_id: str | None = None,
    subject: str | None = None,
    **details: str | int | None,
) -> None:
    """Append an act to the chain as part of the session's transaction; a rolled back act leaves no trace.

    A dear act (`pigi.domain.dear_acts`) is told by mail to those whom it concerns, in the same transaction.

    Args:
        session: the transaction that makes the change.
        application: whose chain.
        kind: one of `pigi.domain.audit.KINDS`.
        actor: who did it: ``account:<id>``, ``operator:<id>``, ``api-key:<id>``, `CLI` or ``pigi``.
        organisation_id: where.
        subject: to whom or what, as ``<noun>:<id>``.
        details: the fields that the kind allows; None is left out.

    Raises:
        ValueError: for anything that may not be kept, such as a name or an address.
        Refused: for a dear act ``confirmation_required`` of somebody whose session is not confirmed, ``forbidden`` of
            an API key; ``too_many_today``, where an organisation did it as often today as `MOST_A_DAY` lets it.
    """
    content = content_of(kind, actor, organisation_id, subject, details)
    dear = dear_act(kind, details)
    if dear is not None:
        if not dear.unasked and actor not in {CLI, PIGI}:
            _ask_confirmed(session, actor)
        # Before the act is dated: its mail tells what was done from its own moment on.
        tell(session, application, dear, organisation_id, subject)
    most = MOST_A_DAY.get(kind)
    if most is not None and organisation_id is not None and not actor.startswith(("operator:", "pigi")):
        count_today(session, organisation_id, kind, most)
    within = session.get_nested_transaction() or session.get_transaction()
    session.info.setdefault("audit", []).append(_Act(kind, now(), content, within))


def _ask_confirmed(session: ControlSession, actor: str) -> None:
    if actor.startswith("api-key:"):
        raise Refused("forbidden")
    if not is_vouched_for(session, actor):
        raise Refused("confirmation_required")


def erase_content(
    session: ControlSession,
    application: Application,
    *,
    organisation_id: str | None = None,
    account_id: str | None = None,
) -> int:
    """Erase what entries are about, with their salts, for an organisation or an account that goes; how many.

    The chain still verifies, and records how many were erased, so that nobody can erase more in secret.
    """
    people = [f"{noun}:{account_id}" for noun in ("account", "operator") if account_id]
    wanted = or_(CONTENT.c.actor.in_(people), CONTENT.c.subject.in_(people))
    if organisation_id is not None:
        wanted |= (CONTENT.c.organisation_id == organisation_id) | (
            CONTENT.c.subject == f"organisation:{organisation_id}"
        )
    erased = int(session.connection().execute(delete(CONTENT).where(wanted)).rowcount)
    if erased:
        # By nobody in particular: an entry of a person's could be erased in its turn, and the count with it.
        record(session, application, ERASED, "pigi", count=erased)
    return erased


def erase_old_content(application: Application, before: datetime, most: int, held: ColumnElement[bool]) -> int:
    """Erase up to ``most`` contents of entries from before a moment, except what is ``held``; how many.

    For entries that cannot go yet, since one that came earlier is held. An erasure's own content says that it was
    one, and stays with its entry.
    """
    old = select(ENTRY.c.seq).where(ENTRY.c.at < before, ENTRY.c.kind != ERASED)
    with application.control.begin() as session:
        lock_holds(session.connection(), shared=True)
        wanted = select(CONTENT.c.seq).where(CONTENT.c.seq.in_(old), held.is_not(true())).limit(most)
        erased = int(session.connection().execute(delete(CONTENT).where(CONTENT.c.seq.in_(wanted))).rowcount)
        if erased:
            record(session, application, ERASED, "pigi", count=erased)
    return erased


def head(connection: Connection) -> Head:
    """The newest entry; when all were pruned, the anchor that they left."""
    for table in (ENTRY, ANCHOR):
        newest = select(table.c.seq, table.c.entry_hash).order_by(table.c.seq.desc()).limit(1)
        row = connection.execute(newest).first()
        if row is not None:
            return Head(row.seq, row.entry_hash)
    return Head(0, BEGINNING)


def lock(connection: Connection) -> None:
    """Hold the chain's end still, to the end of the transaction."""
    lock_name(connection, LOCK)


@event.listens_for(ControlSession, "before_commit")
def _append(session: ControlSession) -> None:
    if "audit" not in session.info or session.in_nested_transaction():
        return
    # Whatever the session still holds back would be written, and locked, after the chain.
    session.flush()
    append(session.connection(), session.info.pop("audit"))


def append(connection: Connection, acts: Iterable[_Act]) -> None:
    """Write the acts at the end of the chain."""
    lock(connection)
    last = head(connection)
    entries, contents = [], []
    for seq, act in enumerate(acts, start=last.seq + 1):
        salt = os.urandom(SALT_BYTES)
        hidden = commitment(salt, act.content)
        this = entry_hash(last.entry_hash, seq, act.at, act.kind, hidden)
        entry = {"seq": seq, "at": act.at, "kind": act.kind, "previous": last.entry_hash}
        entries.append({**entry, "commitment": hidden, "entry_hash": this})
        contents.append({"seq": seq, "salt": salt, **vars(act.content)})
        last = Head(seq, this)
    if entries:
        connection.execute(insert(ENTRY), entries)
        connection.execute(insert(CONTENT), contents)


@event.listens_for(ControlSession, "after_soft_rollback")
def _forget(session: ControlSession, rolled_back: SessionTransaction) -> None:
    """Forget the acts of a transaction, or of a savepoint, that came to nothing."""
    kept = [act for act in session.info.pop("audit", ()) if not _is_within(act.within, rolled_back)]
    if kept:
        session.info["audit"] = kept


def _is_within(transaction: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while transaction is not None:
        if transaction is outer:
            return True
        transaction = transaction.parent
    return False
