"""An installation that is backed up, lost and restored; with processes that can be killed in the middle."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, create_engine, select

from pigi.application import Application
from pigi.operations.audit import CLI
from pigi.operations.backups import FOLDER, MadeBackup, make_backup, restore_backup
from pigi.store.archives import make_identity
from pigi.store.objects import Objects
from pigi.store.provision import tenant_databases
from tests.support.copies import copies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pigi.operations.backups import RestoredBackup
    from pigi.settings import Settings
    from tests.support.factories import Stores

Rows = dict[str, list[tuple[Any, ...]]]


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


class Disaster:
    """A backup of the installation, and a new place to restore it to once the old one is lost."""

    def __init__(self, stores: Stores, settings: Settings, new_home: Path) -> None:
        self.stores = stores
        self.identity, recipient = make_identity()
        self.settings = settings.model_copy(update={"backup_recipient": recipient})
        shared = {name: getattr(self.settings, name) for name in ("backups_url", "files_url", "backup_recipient")}
        self.new = stores.bare(new_home).model_copy(update=shared)

    def back_up(self) -> MadeBackup:
        """Make a backup."""
        application = Application.open(self.settings)
        try:
            return make_backup(application, CLI)
        finally:
            application.dispose()

    def bytes_of(self, made: MadeBackup) -> bytes:
        """The archive as it lies in the store."""
        found = Objects(self.settings.backups_url).get(f"{FOLDER}/{made.name}")
        assert found is not None
        return found

    def lose(self) -> None:
        """Nothing is left of the databases."""
        self.stores.clean(self.settings)

    def restore(self, archive: bytes, **options: Any) -> RestoredBackup:
        """Restore into the new place."""
        identity = options.pop("identity", self.identity)
        settings = options.pop("settings", self.new)
        return restore_backup(settings, io.BytesIO(archive), identity, quiet, **options)

    def stored(self) -> list[str]:
        """The names of all that the store of backups shows."""
        return [found.name for found in Objects(self.settings.backups_url).find(FOLDER)]

    def killed(self, work: Callable[..., None], *arguments: Any) -> None:
        """Let a process do ``work``, and kill it with signal 9 where it holds."""
        mark = self.settings.home / "held"
        process = copies().Process(target=work, args=(mark, *arguments))
        process.start()
        while not mark.exists():
            assert process.is_alive()
            time.sleep(0.01)
        process.kill()
        process.join()
        mark.unlink()


def hold(mark: Path, done: int) -> Callable[[int, int], None]:
    """Stops for good once so many are done."""

    def on_step(so_far: int, _total: int) -> None:
        if so_far == done:
            mark.write_text(str(os.getpid()))
            time.sleep(600)

    return on_step


def held_backup(mark: Path, settings: Settings) -> None:
    """A backup that stops after its first organisation."""
    make_backup(Application.open(settings), CLI, on_step=hold(mark, 1))


def held_restore(mark: Path, settings: Settings, archive: bytes, identity: str) -> None:
    """A restore that stops after its first organisation."""
    restore_backup(settings, io.BytesIO(archive), identity, hold(mark, 1))


def rows_of(url: Any) -> Rows:
    """Every row of every table, read by plain SQL from the tables that there are."""
    engine = create_engine(url)
    if engine.dialect.name == "postgresql":
        engine = create_engine(engine.url.set(drivername="postgresql+psycopg"))
    metadata = MetaData()
    try:
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {
                name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()


def tenant_rows(settings: Settings, organisation: str) -> Rows:
    """`rows_of` an organisation's database."""
    return rows_of(tenant_databases(settings).url(organisation))
