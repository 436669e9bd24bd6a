"""Rows of any class of retention, made so that their period began at a given moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from pigi.clock import now
from pigi.ids import new_id
from pigi.operations.retention import NewHold, add_hold, approve_hold
from pigi.operations.retention.sweeps import Sweep, TimeFormat
from pigi.store.people import Account
from pigi.store.policy import PolicyVersion
from tests.support.jobs import register_organisation

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlDatabase

AGES = {
    "created_at", "at", "seen_at", "buried_at", "full_at", "expires_at", "day", "received_at", "began_at", "year_end",
    "done_at", "released_at", "made_at", "finished_at", "valid_until", "answered_at", "last_at",
}  # fmt: skip
OPERATORS = (f"operator:{new_id()}", f"operator:{new_id()}")


def make_row_of_account(control: ControlDatabase) -> str:
    """An account to refer to; its id."""
    row = {"id": new_id(), "kind": "person", "name": "n", "email": new_id(), "email_key": new_id(), "state": "active"}
    with control.transaction() as connection:
        moments = {"created_at": now(), "password_changed_at": now()}
        connection.execute(insert(Account), {**row, **moments, "password_hash": "-"})
    return str(row["id"])


def make_version(control: ControlDatabase) -> int:
    """A version of the policy to refer to; its number."""
    columns = PolicyVersion.__table__.c
    row = {column.key: _value_for(column, control) for column in columns if not column.nullable}
    with control.transaction() as connection:
        number = int(connection.execute(select(func.coalesce(func.max(columns.number), 0))).scalar_one()) + 1
        connection.execute(insert(PolicyVersion), {**row, "number": number})
    return number


def _value_for(column: Any, control: ControlDatabase) -> Any:
    if column.foreign_keys:
        (key,) = column.foreign_keys
        if key.column.table is PolicyVersion.__table__:
            return make_version(control)
        return make_row_of_account(control) if key.column.table is Account.__table__ else register_organisation(control)
    kind = column.type.python_type
    made = {
        str: lambda: new_id()[: column.type.length],
        bytes: lambda: b"x",
        int: lambda: 1,
        float: lambda: 1.0,
        bool: lambda: False,
    }
    return made[kind]() if kind in made else (now().date() if column.type.__class__.__name__ == "Date" else now())


def _serial(table: Any) -> Any:
    return table.c["id"] if "id" in table.c and table.c["id"].type.python_type is int else None


def plant(control: ControlDatabase, sweep: Sweep, began: datetime, **values: Any) -> None:
    """A row of which the period began then, with these values and all else as it comes."""
    columns = AGES & set(sweep.table.c.keys())
    serial = _serial(sweep.table)
    needed = [c for c in sweep.table.c if not c.nullable and c.key not in {*columns, *values} and c is not serial]
    row = {column.key: _value_for(column, control) for column in needed}
    for name in columns:
        # A day counts from its end.
        day = timedelta(days=1) if sweep.time_format is TimeFormat.DAY else timedelta(0)
        row[name] = sweep.time_format.write(began - day)
    with control.transaction() as connection:
        connection.execute(insert(sweep.table), {**row, **values})


def count(control: ControlDatabase, table: Any, *conditions: Any) -> int:
    """How many rows there are."""
    with control.autocommit() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


def hold(application: Application, organisation: str, retention: str) -> str:
    """A hold that two operators agreed on; its id."""
    review = now().date() + timedelta(days=30)
    hold_id = add_hold(application, OPERATORS[0], NewHold(organisation, retention, "A case.", review))
    approve_hold(application, OPERATORS[1], hold_id)
    return hold_id
