"""The lock that lets one `pigi up` run in a home, and tells a second one what is running."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pigi.processes.program import CannotStartError
from pigi.store.files import FILE_MODE, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCK = "up.lock"


@contextmanager
def only_one(home: Path, address: str) -> Iterator[Callable[[str], None]]:
    """Hold ``home`` for this process; raises CannotStartError naming the process that holds it.

    Yields what writes down another address. The lock is the kernel's, so a killed holder lets go; the text in
    the file is only for people.
    """
    path = private_folder(home / "run") / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStartError(_who(path, home)) from None
        _note(descriptor, address)
        yield partial(_note, descriptor)
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _note(descriptor: int, address: str) -> None:
    text = json.dumps({"process": os.getpid(), "address": address}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def running_in(home: Path) -> dict[str, object] | None:
    """What the holder of ``home`` wrote down: ``process`` and ``address``; None when nothing readable is there."""
    try:
        found = json.loads((home / "run" / LOCK).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _who(path: Path, home: Path) -> str:
    found = running_in(path.parents[1]) or {}
    where = f"process {found.get('process', 'unknown')}, {found.get('address', 'address unknown')}"
    stop = f"stop it with `kill {found.get('process', 'PID')}`"
    return f"Pigi already runs in {home} ({where}). Use that one, {stop}, or set PIGI_HOME."
