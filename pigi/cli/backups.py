"""`pigi backup`, `pigi backups` and `pigi restore`: encrypted copies of everything, and an installation made of one."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.failures import no_such
from pigi.cli.output import answer, json_option, moment, red, table
from pigi.operations.audit import CLI
from pigi.operations.backups import FOLDER, list_backups, make_backup, restore_backup
from pigi.processes.home import only_one
from pigi.processes.program import CannotStartError
from pigi.production import exposure_of
from pigi.settings import Settings
from pigi.store.archives import make_identity
from pigi.store.files import FILE_MODE
from pigi.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.operations.backups import MadeBackup, RestoredBackup

NO_BACKUP = ("There is neither a file nor a backup {}.", "`pigi backups list` shows what there is.")
STALE = "What was revoked, removed or changed since then is as it was: look through members, API keys and passwords."
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="A file or a folder, instead of BACKUPS_URL.")
@json_option
def backup(to: Path | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Copy all databases while Pigi runs, into one encrypted archive; exit with 1 if an organisation is not in it.

    It is encrypted for PIGI_BACKUP_RECIPIENT and lies where BACKUPS_URL says, 21 days long. What goes elsewhere with
    --to is yours to remove by then. The keyring, files and Redis are not in it.
    """
    with open_application() as application:
        made = make_backup(application, CLI, to.absolute() if to else None, _steps("copied", as_json=as_json))
    answer(as_json, {**vars(made), "complete": not made.failed}, _made(made))
    if made.failed:
        raise click.exceptions.Exit(1)


@click.group()
def backups() -> None:
    """List backups, and make the key that opens them."""


@backups.command(name="list")
@json_option
def list_all(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List what lies in the store of backups, newest first."""
    with open_application() as application:
        found = list_backups(application)
    rows = [("MADE (UTC)", "GOES (UTC)", "BYTES", "NAME")]
    rows += [(moment(one.made_at), moment(one.removed_by), str(one.bytes), one.name) for one in found]
    answer(as_json, found, table(rows) if found else "No backup yet; `pigi backup` makes one.")


@backups.command()
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The file to write; it must not exist.")
@json_option
def keygen(to: Path, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Make the key pair of backups: the private key goes into a file, the public one is printed.

    Do it where Pigi does not run. Whoever has the file can read every backup; without it nobody can.
    """
    private, public = make_identity()
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w") as file:
        file.write(f"# public key: {public}\n{private}\n")
    answer(as_json, {"recipient": public}, f"PIGI_BACKUP_RECIPIENT={public}")


@click.command()
@click.argument("backup_file", metavar="FILE")
@click.option("--identity", type=READABLE, required=True, help="The file with the private key.")
@click.option("--erasures-lost", is_flag=True, help="Go on though the erasure log is lost for good.")
@json_option
def restore(backup_file: str, identity: Path, erasures_lost: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Make the installation of these settings anew from FILE; its databases must not exist yet, or be unused.

    FILE is a path, or a name that `pigi backups list` showed. Stop everything first: nothing may run meanwhile, and
    nothing starts before the restore has come to its end. One that broke off is started over by the same command.
    Whoever was deleted after the backup was made is not brought back.
    """
    settings = Settings.from_environment(restoring=True)
    if exposed := exposure_of(identity):
        raise CannotStartError(sentence=f"the file of --identity {exposed}")
    with only_one(settings.home, "a restore"), _opened(settings, backup_file) as source:
        on_step = _steps("restored", as_json=as_json)
        text = identity.read_text("utf-8")
        done = restore_backup(settings, source, text, on_step, erasures_lost=erasures_lost)
    answer(as_json, done, _restored(done))
    if done.missing:
        raise click.exceptions.Exit(1)


@contextmanager
def _opened(settings: Settings, name: str) -> Iterator[Any]:
    if Path(name).is_file():
        with Path(name).open("rb") as file:
            yield file
        return
    store, place = Objects(settings.backups_url), f"{FOLDER}/{Path(name).name}"
    size = store.size(place)
    if size is None:
        raise no_such(*NO_BACKUP, name)
    yield _Pieces(store.read(place, 0, size))


class _Pieces:
    """An object of the store, read from beginning to end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        self._rest = self._rest or next(self._pieces, b"")
        end = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:end], self._rest[end:]
        return data


def _steps(word: str, *, as_json: bool) -> Any:
    """Shows how far it is, on a terminal."""
    shown: IO[str] | None = sys.stderr if sys.stderr.isatty() and not as_json else None

    def on_step(done: int, total: int) -> None:
        if shown is not None:
            shown.write(f"\r{done} of {total} organisations {word}" + ("\n" if done == total else ""))
            shown.flush()

    return on_step


def _made(made: MadeBackup) -> str:
    said = f"{made.name}: {made.organisations} organisations, {made.bytes} bytes."
    if not made.failed:
        return said
    return f"{said}\n{red('Incomplete.')} Not in it, since their databases cannot be read:\n" + "\n".join(made.failed)


def _restored(done: RestoredBackup) -> str:
    lines = [
        f"Restored as of {done.begun_at}: {done.organisations} organisations.",
        f"Erased again, since they were deleted after that: {done.erased}.",
        f"Jobs that had not ended, and were cancelled: {done.jobs}.",
        f"Everybody is signed out. {STALE}",
        "Start Pigi now.",
    ]
    if done.missing:
        lines += [red("Without a database, since the backup lacked it:"), *done.missing]
    return "\n".join(lines)
