"""The children's logs: one file each, bounded, and one file of the past."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pigi.store.files import FILE_MODE, private_folder

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2_000_000
TAIL_BYTES = 4_000


class Logs:
    """``<home>/logs``: ``NAME.log``, at most ``most`` bytes plus what is written between two looks."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self.folder = private_folder(folder)
        self.most = most

    def path(self, name: str) -> Path:
        """Where the log of ``name`` is."""
        return self.folder / f"{name}.log"

    def open(self, name: str) -> int:
        """A descriptor that appends; appending is what lets `trim` cut the file under its writer."""
        return os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)

    def size(self, name: str) -> int:
        """Bytes in the log of ``name`` now."""
        path = self.path(name)
        return path.stat().st_size if path.exists() else 0

    def says(self, name: str, words: str, since: int) -> bool:
        """Whether ``words`` were written to the log of ``name`` after its byte ``since``."""
        with self.path(name).open("rb") as log:
            log.seek(since)
            return words.encode() in log.read()

    def trim(self) -> None:
        """Move what is in each overgrown log to ``NAME.log.1``; lines written meanwhile may be lost."""
        for path in self.folder.glob("*.log"):
            with suppress(FileNotFoundError):
                if path.stat().st_size > self.most:
                    self._turn(path)

    def last_line(self, name: str) -> str:
        """The last line that is not blank, for a console that must say why something did not start."""
        try:
            with self.path(name).open("rb") as log:
                log.seek(max(0, self.size(name) - TAIL_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _turn(self, path: Path) -> None:
        past = path.with_name(f"{path.name}.1")
        past.touch(FILE_MODE)
        shutil.copyfile(path, past)
        os.truncate(path, 0)
