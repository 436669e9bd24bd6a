"""Databases on SQLite for tests: copies of migrated files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Self

from pigi.store.files import private_folder
from pigi.store.migrate import migrate_control
from pigi.store.provision import Files
from tests.support.factories import make_settings

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.settings import Settings


class SqliteStores:
    """Makes settings with databases of their own, in milliseconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        migrate_control(f"sqlite:///{self._folder}/control.db")
        Files(f"sqlite:///{self._folder}/{{id}}.db", self._folder / "templates").make_template()
        return self

    def __exit__(self, *_exception: object) -> None:
        """The folder is pytest's to remove."""

    def bare(self, home: Path) -> Settings:
        """Settings whose databases do not exist yet."""
        return make_settings(home, f"sqlite:///{home}/control.db", f"sqlite:///{home}/organisations/{{id}}.db")

    def fresh(self, home: Path) -> Settings:
        """Settings with an empty control database at the newest revision."""
        private_folder(home)
        shutil.copy(self._folder / "control.db", home)
        shutil.copytree(self._folder / "templates", home / "templates")
        return self.bare(home)

    def clean(self, settings: Settings) -> None:
        """Leave the files: the folder is pytest's to remove."""
