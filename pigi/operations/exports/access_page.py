"""The page of an access export: what is held, why, how long, who else gets it, and what people may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pigi.domain.retention import TITLES, Retention
from pigi.operations.exports.person import read_control, read_tenant
from pigi.privacy.leads import CONTROL_LEADS, TENANT_LEADS
from pigi.privacy.record import processing_record
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import MetaData

    from pigi.application import Application
    from pigi.domain.access import Role
    from pigi.domain.privacy import ColumnFacts
    from pigi.jobs.execution.isolation import Isolation
    from pigi.operations.exports.person import Subject
    from pigi.privacy.leads import Led
    from pigi.privacy.record import ActivityRecord

TEMPLATES = Path(__file__).parents[2] / "export_templates"
SHOWN = 25
"""Rows of a table on the page; all of them are in ``data.json``."""
LONGEST = 240
"""Characters of a cell on the page."""
YOU = "you"


@dataclass(frozen=True)
class TableSection:
    """One table on the page: how many rows there are, and the first of them as pairs of what and value."""

    title: str
    count: int
    rows: list[list[tuple[str, str]]]


@dataclass(frozen=True)
class Part:
    """A purpose of processing, and what is held for it."""

    record: ActivityRecord
    tables: list[TableSection]


def draw_page(  # noqa: PLR0913 - what is drawn, each named
    application: Application,
    subject: Subject,
    at: datetime,
    counts: dict[str, int],
    organisations: Sequence[tuple[str, Role | None]],
    isolation: Isolation,
) -> str:
    """The page as HTML, with its style and without scripts; it loads nothing from anywhere."""
    settings = application.settings
    held = [name for name in CONTROL_LEADS if counts.get(name)]
    first = {name: read_control(application, subject, name, [], SHOWN).rows for name in held}
    you = subject.account_id
    names = {row["id"]: row["name"] for row in first.get("organisation", [])} | {you: YOU, f"account:{you}": YOU}
    tables = [
        (_class_of(CONTROL, name), _section(CONTROL_LEADS[name], counts[name], rows, names))
        for name, rows in first.items()
    ]
    for organisation in organisations:
        with isolation.of(organisation[0]):
            tables += _of_organisation(application, subject, counts, organisation, names)
    parts = [
        Part(record, [section for retention, section in tables if retention in record.activity.classes])
        for record in processing_record(settings.fonts)
    ]
    recipients = dict.fromkeys(facts for record in processing_record(settings.fonts) for facts in record.recipients)
    page: str = _template().render(
        subject=subject,
        at=at,
        parts=parts,
        recipients=recipients,
        settings=settings,
        unread=isolation.skipped,
    )
    return page


def _of_organisation(
    application: Application,
    subject: Subject,
    counts: dict[str, int],
    organisation: tuple[str, Role | None],
    names: dict[str, str],
) -> list[tuple[Retention, TableSection]]:
    found = []
    for name, led in TENANT_LEADS.items():
        count = counts.get(f"{organisation[0]}.{name}", 0)
        if count:
            rows = read_tenant(application, subject, organisation, name, [], SHOWN).rows
            where = f" in {names.get(organisation[0], 'an organisation that you left')}"
            found.append((_class_of(TENANT, name), _section(led, count, rows, names, where)))
    return found


def _class_of(metadata: MetaData, name: str) -> Retention:
    facts: ColumnFacts = next(iter(metadata.tables[name].columns)).info["facts"]
    return facts.retention


def _section(
    led: Led, count: int, rows: Sequence[dict[str, Any]], names: dict[str, str], where: str = ""
) -> TableSection:
    filled = [{key: value for key, value in row.items() if value != ""} for row in rows]
    shown = [
        [(key.replace("_", " "), _words(value, {} if key == "id" else names)) for key, value in row.items()]
        for row in filled
    ]
    return TableSection(led.title + where, count, shown)


def _words(value: Any, names: dict[str, str]) -> str:
    moment = _moment(value)
    if moment is not None:
        return moment.strftime("%-d %B %Y at %H:%M UTC")
    text = names.get(value, str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text)} characters, all in data.json)"


def _moment(value: Any) -> datetime | None:
    """The moment that a cell tells, as `data.json` writes it."""
    if not (isinstance(value, str) and value.endswith("Z") and len(value) <= len("2026-01-02T03:04:05.678901Z")):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


@cache
def _template() -> Any:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters["retention_word"] = lambda name: TITLES[Retention(name)]
    return environment.get_template("access.html")
