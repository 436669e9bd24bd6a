"""The backups that there are: the rows, held against what lies in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from pigi.domain.retention import Retention, keep
from pigi.operations.backups.manifests import FOLDER, parse_name
from pigi.store.objects import Objects
from pigi.store.records import Backup

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application

BACKUP: Any = Backup.__table__


@dataclass(frozen=True)
class BackupView:
    """A backup in the store; ``organisations`` is None for one of which nobody noted how many."""

    id: str
    name: str
    bytes: int
    organisations: int | None
    made_at: datetime
    removed_by: datetime


def list_backups(application: Application) -> list[BackupView]:
    """What lies in the store of backups, newest first; raises FilesAwayError."""
    with application.control.autocommit() as connection:
        noted = {row.id: row.organisations for row in connection.execute(select(BACKUP))}
    found = []
    for entry in Objects(application.settings.backups_url).find(FOLDER):
        parsed = parse_name(entry.name)
        if parsed is not None:
            made_at, backup_id = parsed
            name = entry.name.rsplit("/", 1)[-1]
            count = noted.get(backup_id) or None
            found.append(BackupView(backup_id, name, entry.size, count, made_at, made_at + keep(Retention.BACKUP)))
    return sorted(found, key=lambda view: view.name, reverse=True)


def adopt_backups(application: Application) -> int:
    """Note what lies in the store without a row, so that it is removed in time; returns how many.

    Such are what a process left that died before it could write the row, and, after a restore, all that was made
    after the backup that was restored. Raises FilesAwayError.
    """
    listed = list_backups(application)
    with application.control.transaction() as connection:
        noted: set[str] = set(connection.execute(select(BACKUP.c.id)).scalars())
        rows = [
            {"id": view.id, "name": f"{FOLDER}/{view.name}", "organisations": 0, "bytes": view.bytes}
            | {"made_at": view.made_at}
            for view in listed
            if view.id not in noted
        ]
        if rows:
            connection.execute(insert(BACKUP), rows)
    return len(rows)
