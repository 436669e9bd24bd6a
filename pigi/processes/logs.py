"""The children's logs: one file each, bounded in bytes and in days, and one file of the past.

They hold what processes say of themselves, and errors without content. Lines of requests are in the database,
which sweeps them. Still no line here grows older than the shorter of the two logs' periods (P04).
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.retention import Retention, keep
from pigi.store.files import FILE_MODE, private_folder

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 2_000_000
TAIL_BYTES = 4_000
TURNED_AFTER = keep(Retention.REQUEST_LOG) / 2
"""A log goes on for so long and is kept as the past for as long again; both together are the period."""


class Logs:
    """``<home>/logs``: ``NAME.log``, at most ``most`` bytes plus what is written between two looks."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self.folder = private_folder(folder)
        self.most = most
        # Nobody may have looked for weeks.
        self.trim()

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
            # Cut meanwhile, it begins anew.
            log.seek(since if since <= self.size(name) else 0)
            return words.encode() in log.read()

    def trim(self) -> None:
        """Move what is in each overgrown or old log to ``NAME.log.1``; lines written meanwhile may be lost.

        When a log began, its past tells: that was written last when the log was turned.
        """
        for path in self.folder.glob("*.log"):
            with suppress(FileNotFoundError):
                past = _past(path)
                if not past.exists():
                    past.touch(FILE_MODE)
                age = now().timestamp() - past.stat().st_mtime
                if age > 2 * TURNED_AFTER.total_seconds():
                    # Not even the newest of its lines is known to be young enough.
                    os.truncate(path, 0)
                if age > TURNED_AFTER.total_seconds() or path.stat().st_size > self.most:
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
        shutil.copyfile(path, _past(path))
        os.utime(_past(path))
        os.truncate(path, 0)


def _past(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
