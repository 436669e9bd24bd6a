"""Reading what is held about one person, table by table, in small pages: all that is theirs and nothing of others.

Which rows lead to them says `pigi.privacy.leads`; which columns are shown, the facts of the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, false, or_, select, tuple_

from pigi.domain.access import Caller, Role
from pigi.domain.privacy import Category, Disclosure
from pigi.operations.access import reading, role_in
from pigi.operations.mail import address_hashes
from pigi.privacy.leads import CONTROL_LEADS, SEALED_FOR, TENANT_LEADS, By, Lead
from pigi.privacy.wanted import HYPHENS
from pigi.store.instants import to_text
from pigi.store.keys import SEALED_BY_KEYRING
from pigi.store.people import Account
from pigi.store.schema import CONTROL, TENANT
from pigi.store.sealing import SealBrokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

    from pigi.application import Application
    from pigi.store.keyring import Keyring
    from pigi.store.sealing import Sealer

PAGE = 200
"""Rows read at a time."""
OTHERS = "(somebody else)"
"""What stands in place of another person's identifier."""
_ACCOUNT: Any = Account.__table__
_JOB: Any = CONTROL.tables["job"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows as they are shown, and the key after which the next page begins; ``whole`` if there is none."""

    rows: list[Row]
    last: list[Any]
    whole: bool


@dataclass(frozen=True)
class Subject:
    """The person: what columns may hold of them, and what they are called."""

    account_id: str
    name: str
    email: str
    values: dict[By, tuple[str, ...]]

    @classmethod
    def of(cls, application: Application, account_id: str) -> Subject | None:
        """The person with this account; None if it is gone."""
        with application.control.autocommit() as connection:
            row = connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.id == account_id)).first()
        if row is None:
            return None
        names = (f"account:{account_id}", f"operator:{account_id}")
        values = {By.ID: (account_id,), By.NAME: names, By.ADDRESS: (row.email_key,)}
        values[By.HASH] = tuple(address_hashes(application, row.email_key))
        return cls(account_id, row.name, row.email, values)


def organisations_of(application: Application, subject: Subject) -> list[tuple[str, Role | None]]:
    """Organisations that the person belongs to, with their role; and those where they once did something, with None."""
    found: set[str] = set()
    with application.control.autocommit() as connection:
        for name in ("membership", "audit_content", "job"):
            table = CONTROL.tables[name]
            query = select(table.c.organisation_id).where(_led(CONTROL_LEADS[name].leads, table, subject)).distinct()
            found.update(row[0] for row in connection.execute(query) if row[0] is not None)
        known: Any = CONTROL.tables["organisation"].c.id
        queries = [select(known).where(known.in_(chunk)) for chunk in _chunks(sorted(found))]
        there = [str(row[0]) for query in queries for row in connection.execute(query)]
    return [(one, role_in(application, subject.account_id, one)) for one in sorted(there)]


def read_control(application: Application, subject: Subject, name: str, last: Sequence[Any], limit: int = PAGE) -> Page:
    """The next page of a table of the control database."""
    table = CONTROL.tables[name]
    led = CONTROL_LEADS[name].leads
    with application.control.autocommit() as connection:
        rows = connection.execute(_query(table, _led(led, table, subject), last, limit)).mappings().all()
        opened = partial(_opened_by_keyring, application.keyring)
        shown = [_shown(table, row, own=_is_own(led, table, row, subject), opened=opened) for row in rows]
        _hide_others(connection, subject, shown)
    return _page(table, rows, shown, limit)


def read_tenant(  # noqa: PLR0913 - where to read, and from where on
    application: Application,
    subject: Subject,
    organisation: tuple[str, Role | None],
    name: str,
    last: Sequence[Any],
    limit: int = PAGE,
) -> Page:
    """The next page of a table of an organisation's database; what was written there stays with one that they left."""
    organisation_id, role = organisation
    table = TENANT.tables[name]
    requested = _requested(application, subject, organisation_id) if name in {"generation", "live_text"} else []
    condition = _led(TENANT_LEADS[name].leads, table, subject, requested)
    with reading(application, Caller(organisation_id, role, subject.account_id)) as session:
        rows = session.connection().execute(_query(table, condition, last, limit)).mappings().all()
        opened = partial(_opened_by_sealer, session.sealer if role is not None else None)
        shown = [_shown(table, row, own=True, opened=opened) for row in rows]
    return _page(table, rows, shown, limit)


def _requested(application: Application, subject: Subject, organisation_id: str) -> list[str]:
    """What the person's jobs in an organisation are about."""
    mine = _JOB.c.organisation_id == organisation_id, _JOB.c.requested_by.in_(subject.values[By.NAME])
    query = select(_JOB.c.subject_id).where(*mine, _JOB.c.subject_id.is_not(None))
    with application.control.autocommit() as connection:
        return list(connection.execute(query).scalars())


def _led(leads: Iterable[Lead], table: Table, subject: Subject, requested: Sequence[str] = ()) -> ColumnElement[bool]:
    """The condition on rows that lead to the person."""
    return or_(false(), *(_condition(lead, table, subject, requested) for lead in leads))


def _condition(lead: Lead, table: Table, subject: Subject, requested: Sequence[str]) -> ColumnElement[bool]:
    column = table.c[lead.column]
    if lead.by is not None:
        return column.in_(subject.values[lead.by])
    name, _, key = lead.through.partition(".")
    if table.metadata is TENANT and name == "job":
        return or_(false(), *(column.in_(chunk) for chunk in _chunks(requested)))
    other = table.metadata.tables[name]
    leads = (TENANT_LEADS if table.metadata is TENANT else CONTROL_LEADS)[name].leads
    return column.in_(select(other.c[key]).where(_led(leads, other, subject, requested)))


def _query(table: Table, condition: ColumnElement[bool], last: Sequence[Any], limit: int) -> Any:
    key: list[Any] = list(table.primary_key.columns)
    after = and_(condition, tuple_(*key) > tuple_(*last)) if last else condition
    return select(*table.columns).where(after).order_by(*key).limit(limit)


def _page(table: Table, rows: Sequence[Any], shown: list[Row], limit: int) -> Page:
    last = [plain(rows[-1][column.key]) for column in table.primary_key.columns] if rows else []
    return Page(shown, last, len(rows) < limit)


def _is_own(leads: Iterable[Lead], table: Table, row: Any, subject: Subject) -> bool:
    """Whether the row is about the person, and not only made by them."""
    direct = [lead for lead in leads if lead.own and lead.by is not None]
    through = any(lead.own and lead.by is None for lead in leads)
    return through or any(row[table.c[lead.column].key] in subject.values[lead.by] for lead in direct if lead.by)


Opening = Callable[[Any, Any, bytes], str | None]
"""Opens a sealed value, of a column and a row; None if it stays closed."""


def _shown(table: Table, row: Any, *, own: bool, opened: Opening) -> Row:
    """The cells that an access export includes; names and addresses only where they are the person's own."""
    found: Row = {}
    for column in table.columns:
        facts = column.info["facts"]
        value = row[column.key]
        if value is None or facts.access is not Disclosure.INCLUDED:
            continue
        if facts.category is Category.CONTACT and not own:
            continue
        cell = opened(column, row, value) if isinstance(value, bytes) else plain(value)
        if cell is not None:
            found[column.key] = cell
    return found


def _opened_by_keyring(keyring: Keyring, column: Any, row: Any, value: bytes) -> str | None:
    key = next(iter(column.table.primary_key.columns)).key
    try:
        return keyring.open(SEALED_BY_KEYRING[column], row[key], value).decode()
    except SealBrokenError:
        return None


def _opened_by_sealer(sealer: Sealer | None, column: Any, row: Any, value: bytes) -> str | None:
    if sealer is None:
        return None
    name = column.table.name
    return sealer.open(value, name, column.name, SEALED_FOR.get(name, "{id}").format(**row))


def plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if isinstance(value, datetime):
        return to_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _hide_others(connection: Connection, subject: Subject, rows: list[Row]) -> None:
    """Take out every identifier of another account, wherever in a cell it stands."""
    texts = [(row, key, value) for row in rows for key, value in row.items() if isinstance(value, str)]
    cells = [(row, key, set(HYPHENS.findall(text))) for row, key, text in texts]
    named = {one for _row, _key, ids in cells for one in ids} - {subject.account_id}
    others: set[str] = set()
    for chunk in _chunks(sorted(named)):
        others.update(connection.execute(select(_ACCOUNT.c.id).where(_ACCOUNT.c.id.in_(chunk))).scalars())
    for row, key, ids in cells:
        if ids & others:
            row[key] = OTHERS


def _chunks(values: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))
