"""Reading the audit chain: as a check must see it, byte by byte, and as people see it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, cast, select

from pigi.domain.audit import EntryContent
from pigi.domain.audit_check import ANCHORED, BEGINS, Anchor, Link, statement
from pigi.operations.audit.chain import ANCHOR, CONTENT, ENTRY
from pigi.operations.plans import log_since
from pigi.store.engines import is_sqlite
from pigi.store.instants import from_text, to_text
from pigi.store.paging import read_stretch
from pigi.store.signing import is_signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, RowMapping

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

PAGE = 200
_JOINED = CONTENT.c.seq == ENTRY.c.seq
_NO_TEXT = {"seq", "content_seq", "at", "salt"}


@dataclass(frozen=True)
class AuditView:
    """An entry as people see it; ``actor`` is None when what it was about is erased."""

    seq: int
    at: datetime
    kind: str
    actor: str | None
    subject: str | None
    organisation_id: str | None
    details: Mapping[str, str | int] = field(default_factory=dict)


def list_own_entries(
    application: Application,
    caller: Caller,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[AuditView]:
    """What the caller's organisation is shown: `list_entries`, as far back as its plan goes."""
    since = log_since(application, caller.organisation_id)
    return list_entries(application, caller.organisation_id, limit, before, since, after)


def list_entries(  # noqa: PLR0913 - a stretch of which log
    application: Application,
    organisation_id: str | None,
    limit: int = 50,
    before: str | int | None = None,
    since: datetime | None = None,
    after: str | int | None = None,
) -> list[AuditView]:
    """Entries, newest first, of one organisation or, for operators, of all.

    ``before`` and ``after`` are numbers (`pigi.store.paging`); what happened earlier than ``since`` is left out.
    """
    query = select(
        ENTRY.c.seq, ENTRY.c.at, ENTRY.c.kind, *CONTENT.c["actor", "subject", "organisation_id", "details"]
    ).join_from(ENTRY, CONTENT, _JOINED, isouter=organisation_id is None)
    if organisation_id is not None:
        query = query.where(CONTENT.c.organisation_id == organisation_id)
    if since is not None:
        query = query.where(ENTRY.c.at >= since)
    with application.control.autocommit() as connection:
        rows = read_stretch(connection.execute, query, ENTRY.c.seq, limit=limit, before=before, after=after)
        found = [dict(row._mapping) for row in rows]  # noqa: SLF001 - its public name
    return [AuditView(**{**row, "details": json.loads(row["details"] or "{}")}) for row in found]


def entries_about(session: ControlSession, kind: str, subject: str, since: datetime) -> list[dict[str, str | int]]:
    """The details of the entries of a kind about somebody, such as ``account:<id>``, since a moment."""
    about = (CONTENT.c.subject == subject) & (ENTRY.c.kind == kind) & (ENTRY.c.at >= since)
    query: Any = select(CONTENT.c.details).join_from(CONTENT, ENTRY, _JOINED).where(about).order_by(ENTRY.c.seq)
    return [json.loads(details) for details in session.scalars(query)]


def links(connection: Connection, first: int, last: int | None = None, limit: int | None = None) -> Iterator[Link]:
    """Entries with their contents in order, from number ``first``, exactly as they are stored."""
    columns = [
        *(ENTRY.c[name] for name in ("at", "kind", "previous", "commitment", "entry_hash")),
        *(CONTENT.c[name] for name in ("organisation_id", "actor", "subject", "details")),
    ]
    query = (
        select(ENTRY.c.seq, CONTENT.c.seq.label("content_seq"), CONTENT.c.salt, *_raw(connection, columns))
        .join_from(ENTRY, CONTENT, _JOINED, isouter=True)
        .where(ENTRY.c.seq >= first)
        .order_by(ENTRY.c.seq)
        .limit(limit)
    )
    if last is not None:
        query = query.where(ENTRY.c.seq <= last)
    for row in connection.execute(query).mappings():
        yield _link(row)


def _link(row: RowMapping) -> Link:
    words: dict[str, Any] = {str(name): _text(value) for name, value in row.items() if name not in _NO_TEXT}
    fields = {name: words.pop(name) for name in ("organisation_id", "actor", "subject", "details")}
    content = None if row["content_seq"] is None else EntryContent(**fields)
    return Link(seq=row["seq"], at=_moment(row["at"]), salt=row["salt"], content=content, **words)


def anchors_in(connection: Connection, trusted: Sequence[str]) -> dict[int, Anchor]:
    """All anchors by their number, each with what a trusted key signed it for."""
    columns: list[Any] = _raw(connection, [ANCHOR.c[name] for name in ("at", "entry_hash", "signature")])
    found = {}
    for row in connection.execute(select(ANCHOR.c.seq, *columns)):
        anchor = Anchor(row.seq, _text(row.entry_hash) or "")
        moment = _moment(row.at)
        use = None if moment is None else use_of(anchor, moment, _text(row.signature) or "", trusted)
        found[anchor.seq] = replace(anchor, use=use)
    return found


def use_of(anchor: Anchor, at: datetime, signature: str, keys: Sequence[str]) -> str | None:
    """What one of the keys signed an anchor for; None if none of them did."""
    signed = statement(anchor.seq, anchor.entry_hash, at)
    uses = (use for use in (ANCHORED, BEGINS) for key in keys if is_signed(key, use, signed, signature))
    return next(uses, None)


def _raw(connection: Connection, columns: Sequence[Any]) -> list[Any]:
    """SQLite takes any bytes for text, and reading what is no text would fail; here it shall only differ."""
    if not is_sqlite(connection):
        return list(columns)
    return [cast(column, LargeBinary).label(column.name) for column in columns]


def _text(value: bytes | str | None) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _moment(value: Any) -> datetime | None:
    """The moment that is stored; None for a form in which Pigi does not write one."""
    if isinstance(value, datetime):
        return value
    text = _text(value) or ""
    try:
        found = from_text(text)
        return found if to_text(found) == text else None
    except ValueError:
        return None
