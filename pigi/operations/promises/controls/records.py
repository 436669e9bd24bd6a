"""Controls of what Pigi holds: which columns there are, what they are for, and that rows go after their period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, inspect

from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.privacy import Category
from pigi.domain.retention import Retention
from pigi.operations.retention import report_classes
from pigi.store.migrate import control_head, revision_of
from pigi.store.people import Account, Registration
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, MetaData

    from pigi.application import Application

ASKED_FOR = frozenset({"name", "email", "password_hash"})
"""What a registration asks for (P01); the password is kept as its hash."""
DERIVED = frozenset({"id", "email_key", "token_hash"})
"""What Pigi adds: a random name for the row, the address in the form that tells accounts apart, a link's hash."""
LOGS = (Retention.REQUEST_LOG, Retention.ERROR_LOG, Retention.USAGE)
REVISIONS = "alembic_version"

TOLD = frozenset({Retention.PRIVACY_REQUEST, Retention.TICKET})
"""Classes of what people write to whoever runs Pigi: requests and messages, in the control database."""


def only_name_and_address(_application: Application) -> Finding:
    """Whether accounts and registrations have a column about a person beyond what was asked for."""
    personal = [
        column
        for table in (Account.__table__, Registration.__table__)
        for column in table.columns
        if column.info["facts"].category is not Category.TECHNICAL
    ]
    more = [str(column) for column in personal if column.name not in ASKED_FOR | DERIVED]
    if more:
        return Finding(False, f"More than a name, an address and a password's hash: {', '.join(more)}.")
    return Finding(True, f"{len(personal)} columns about people, all of a name, an address or a password's hash.")


def content_in_own_database(_application: Application) -> Finding:
    """Whether every column for what organisations write is in their own database, sealed."""
    stray = [str(column) for column in _columns(CONTROL) if _is_theirs(column)]
    own = [column for column in _columns(TENANT) if _is_theirs(column)]
    stray += [str(column) for column in own if not isinstance(column.type, LargeBinary)]
    if stray:
        return Finding(False, f"Content outside an organisation's own database, or not sealed: {', '.join(stray)}.")
    return Finding(True, f"{len(own)} columns hold content, all sealed and in the organisation's own database.")


def _is_theirs(column: Column[Any]) -> bool:
    """Whether somebody writes it as configuration; what people tell whoever runs Pigi is none, and says so."""
    facts = column.info["facts"]
    return facts.category is Category.CONTENT and facts.retention not in TOLD


def columns_declared(_application: Application) -> Finding:
    """Whether every column of both kinds of database says what it is for."""
    columns = [column for metadata in (CONTROL, TENANT) for column in _columns(metadata)]
    bare = [str(column) for column in columns if "facts" not in column.info or not column.info["facts"].purpose]
    if bare:
        return Finding(False, f"{len(bare)} of {len(columns)} columns do not say what they are for: {', '.join(bare)}.")
    return Finding(True, f"All {len(columns)} columns say what they hold, what for, on which basis and for how long.")


def _columns(metadata: MetaData) -> Iterator[Column[Any]]:
    return (column for table in metadata.sorted_tables for column in table.columns)


def live_as_declared(application: Application) -> Finding:
    """Whether the control database as it is has a column that nobody declared.

    Raises RuntimeError while it is of another release: then there is nothing to compare it with.
    """
    with application.control.autocommit() as connection:
        if revision_of(connection) != control_head():
            message = "the database is of another release"
            raise RuntimeError(message)
        tables = inspect(connection).get_multi_columns()
    live = {f"{table}.{column['name']}" for (_schema, table), found in tables.items() for column in found}
    declared = {str(column) for column in _columns(CONTROL)}
    unknown = sorted(name for name in live - declared if not name.startswith(f"{REVISIONS}."))
    if unknown:
        return Finding(False, f"Columns that nobody declared: {', '.join(unknown)}.")
    return Finding(True, f"The control database has {len(live)} columns, and each is declared.")


def logs_in_time(application: Application) -> Finding:
    """Whether a line of a log is still there after its period."""
    return _in_time(application, frozenset(LOGS))


def records_in_time(application: Application) -> Finding:
    """Whether a row of another class is still there after its period; the billing log has a control of its own."""
    return _in_time(application, frozenset(Retention) - {*LOGS, Retention.BILLING_LOG})


def _in_time(application: Application, which: frozenset[Retention]) -> Finding:
    classes = [line for line in report_classes(application, counted=False) if line.retention in which]
    overdue = [line.retention for line in classes if line.overdue]
    if overdue:
        return Finding(False, f"Past their period: {', '.join(overdue)}.")
    kept = "; ".join(f"{line.retention}: {line.period}" for line in classes) if len(classes) <= len(LOGS) else ""
    return Finding(True, f"The oldest row of each of {len(classes)} classes is within its period. {kept}".strip())


CONTROLS = (
    Control(
        "registration-asks-for-little",
        "P01",
        Evidence.STATIC,
        only_name_and_address,
        "Accounts and registrations have no column about a person but their name, address and password's hash.",
        "What people write into their name.",
    ),
    Control(
        "content-in-own-database",
        "P03",
        Evidence.STATIC,
        content_in_own_database,
        "Every column for what people create is in the organisation's own database, sealed with its key.",
        "What the sealed contents are.",
    ),
    Control(
        "logs-within-their-period",
        "P04",
        Evidence.OBSERVED,
        logs_in_time,
        "The oldest line of the request log, the error log and the signs of use is younger than the log's period.",
        "What somebody copied before it went.",
    ),
    Control(
        "columns-say-what-for",
        "P07",
        Evidence.STATIC,
        columns_declared,
        "Every column of every table declares what it holds, what for, on which legal basis and for how long.",
        "Whether people put more into a text than it asks for.",
    ),
    Control(
        "live-columns-are-declared",
        "P07",
        Evidence.OBSERVED,
        live_as_declared,
        "The control database, as it is now, has no column that is not declared.",
        "The organisations' own databases: they are not opened for this.",
    ),
    Control(
        "records-within-their-period",
        "P07",
        Evidence.OBSERVED,
        records_in_time,
        "Of every class of records with a period, the oldest row is younger than that, or kept by a legal hold.",
        "What somebody copied before it went.",
    ),
)
