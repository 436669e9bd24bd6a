"""Making a backup: a copy of every database, in one archive that only the holder of the private key can open.

The organisations' databases are copied first and the control database last. What an organisation wrote is sealed by
a key that lies in the control database, so the copy of that one must not be the older: a key made while the copying
went on would be missing, and what it sealed be lost. It is the better order for whoever is deleted meanwhile, too:
their key is in no copy any more, and what their database's copy holds nobody can read. What an organisation that was
made meanwhile would lack, its database, is copied after the control database. Jobs and answers to repeated requests
would speak of what the older copies do not have; a restore ends them (`pigi.operations.backups.settling`).
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.engine import make_url

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.errors import Permanent, Refused
from pigi.ids import new_id
from pigi.jobs.execution.isolation import Isolation
from pigi.operations.access import ORGANISATION
from pigi.operations.audit import record
from pigi.operations.backups.listing import BACKUP, adopt_backups
from pigi.operations.backups.manifests import CONTROL, FOLDER, MANIFEST, Copy, Manifest, encode, object_name
from pigi.operations.deletion import note_open_deletions
from pigi.operations.keys import names_needed
from pigi.store.archives import Archive, packing, recipient
from pigi.store.copies import copy_out
from pigi.store.erasures import ErasureLog
from pigi.store.files import aside, locked, private_folder
from pigi.store.objects import FilesAwayError, Objects
from pigi.store.provision import TenantDatabases, tenant_databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import URL

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.objects import Sink

    OnStep = Callable[[int, int], None]

COPYING = "copying"
"""The folder below PIGI_HOME for the copy at hand; whatever lies there when a backup begins is of one that died."""
SIGN_OF_LIFE = "backup"
"""The scope under which a backup is entered in the erasure log: one that lacks the entry is not the log of its time."""
AT_HAND = "at-hand.db"


@dataclass(frozen=True)
class MadeBackup:
    """A backup that was made: in the store of backups, or where ``to`` says.

    ``failed`` are the organisations that are not in it.
    """

    id: str
    name: str
    bytes: int
    organisations: int
    begun_at: datetime
    made_at: datetime
    failed: tuple[str, ...]


def _quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


def make_backup(application: Application, by: str, to: Path | None = None, on_step: OnStep = _quiet) -> MadeBackup:
    """Copy all databases into an encrypted archive: in the store of backups, or the file or folder ``to``.

    One at a time in a PIGI_HOME. Nothing is seen of it before it is whole. An organisation whose database cannot be
    copied is named and keeps no other out. ``on_step`` is told how many of how many were copied, and may raise.

    Raises:
        Refused: ``backup_recipient_missing``, ``backup_recipient_invalid``.
        FilesAwayError: BACKUPS_URL, or where the erasure log is kept, cannot be written to.
    """
    if not application.settings.backup_recipient:
        raise Refused("backup_recipient_missing")
    key = recipient(application.settings.backup_recipient)
    home = application.settings.home
    with locked(home / "run" / "backup.lock"), _fresh_folder(home / COPYING) as folder:
        begun, backup_id = now(), new_id()
        name = object_name(begun, backup_id)
        note_open_deletions(application)
        ErasureLog.from_settings(application.settings).add(SIGN_OF_LIFE, backup_id, begun)
        with _destination(application, name, to) as sink:
            counted = _Counted(sink)
            with packing(counted, key) as archive:
                run = _Run(application, archive, folder, on_step)
                manifest = run.write(backup_id, begun)
        made = MadeBackup(backup_id, name, counted.bytes, len(manifest.by_organisation), begun, now(), manifest.failed)
        _note(application, made, by, stored=to is None)
    return made


def make_daily(context: JobContext, application: Application) -> None:
    """Make the day's backup, if there is a key to make it for; without one nobody asked for backups.

    Raises Permanent: ``backup_incomplete``; and as `make_backup`.
    """
    if not application.settings.backup_recipient:
        return

    def on_step(done: int, total: int) -> None:
        context.checkpoint()
        context.progress(done, total, "copying")

    if make_backup(application, "pigi", on_step=on_step).failed:
        raise Permanent("backup_incomplete")


@contextmanager
def _fresh_folder(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield private_folder(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _destination(application: Application, name: str, to: Path | None) -> Iterator[Sink]:
    if to is not None:
        with aside(to / name if to.is_dir() else to) as draft, draft.open("wb") as file:
            yield file
        return
    store = Objects(application.settings.backups_url)
    store.discard_unfinished(FOLDER)
    with store.writing(f"{FOLDER}/{name}") as sink:
        yield sink


class _Counted:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self.bytes += len(data)
        return len(data)


class _Run:
    """The copying of one backup; one copy lies on the disk at a time."""

    def __init__(self, application: Application, archive: Archive, folder: Path, on_step: OnStep) -> None:
        self._application = application
        self._databases: TenantDatabases = tenant_databases(application.settings)
        self._archive = archive
        self._folder = folder
        self._on_step = on_step
        self._isolation = Isolation("backup", ends_all=lambda error: isinstance(error, (FilesAwayError, OSError)))
        self._copies: list[Copy] = []
        self._tried: list[str] = []

    def write(self, backup_id: str, begun: datetime) -> Manifest:
        """Copy everything, and the manifest last."""
        first = self._live()
        self._copy_all(first)
        url = self._application.settings.database_url
        keys = names_needed(self._application)
        control = self._copied(url, CONTROL, None)
        self._copy_all([one for one in self._live() if one not in set(first)])
        copied = {copy.organisation for copy in self._copies}
        # Whoever was deleted while this ran is missing by right.
        failed = tuple(one for one in self._tried if one not in copied and one in set(self._live()))
        self._isolation.report(len(copied) + len(failed))
        manifest = Manifest(
            id=backup_id,
            pigi=version("pigi"),
            engine=make_url(url).get_backend_name(),
            begun_at=begun.isoformat(),
            made_at=now().isoformat(),
            copies=(*self._copies, control),
            failed=failed,
            keys=keys,
        )
        path = self._folder / MANIFEST
        path.write_bytes(encode(manifest, self._application.keyring))
        self._archive.add(MANIFEST, path)
        return manifest

    def _live(self) -> list[str]:
        """The organisations that must have a database, oldest first."""
        query = select(ORGANISATION.c.id).where(ORGANISATION.c.state != OrganisationState.PURGING.value)
        with self._application.control.autocommit() as connection:
            return list(connection.execute(query.order_by(ORGANISATION.c.id)).scalars())

    def _copy_all(self, organisations: list[str]) -> None:
        before = len(self._tried)
        self._tried += organisations
        for done, one in enumerate(organisations, start=before):
            self.checkpoint(done, len(self._tried))
            with self._isolation.of(one):
                self._copies.append(self._copied(self._databases.url(one), f"organisations/{one}.db", one))
        self.checkpoint(len(self._tried), len(self._tried))

    def checkpoint(self, done: int, total: int) -> None:
        """Tell how far it is; raises what ends the whole run."""
        self._on_step(done, total)

    def _copied(self, url: str | URL, name: str, organisation: str | None) -> Copy:
        """Copy one database into the archive; nothing of it gets there unless all of the copy was made."""
        path = self._folder / AT_HAND
        path.unlink(missing_ok=True)
        moment = now()
        revision = copy_out(url, path)
        size = path.stat().st_size
        return Copy(name, organisation, revision, moment.isoformat(), size, self._archive.add(name, path))


def _note(application: Application, made: MadeBackup, by: str, *, stored: bool) -> None:
    with application.control.begin() as session:
        if stored:
            row = {
                "id": made.id,
                "name": f"{FOLDER}/{made.name}",
                "organisations": made.organisations,
                "bytes": made.bytes,
            }
            session.execute(insert(BACKUP).values(**row, made_at=made.begun_at))
        record(session, application, "backup.made", by, None, None, backup=made.id, count=made.organisations)
    if stored:
        adopt_backups(application)
