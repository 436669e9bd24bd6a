"""Files that only Pigi may read, made so that processes starting together agree on one of them."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def private_folder(folder: Path) -> Path:
    """Make ``folder`` and its missing parents with mode 0700 and return it; existing ones are left alone."""
    for missing in [part for part in reversed((folder, *folder.parents)) if not part.exists()]:
        with suppress(FileExistsError):
            missing.mkdir(mode=FOLDER_MODE)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` against other processes and threads; a killed holder lets go of it."""
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A path beside ``path`` that becomes it, whole and on disk, when the block ends without an exception.

    Whatever was there is replaced: hold `locked` where two may write.
    """
    private_folder(path.parent)
    folder = Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
    draft = folder / path.name
    try:
        yield draft
        draft.chmod(FILE_MODE)
        _sync(draft)
        draft.replace(path)
        _sync(path.parent)
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
