"""Restoring a backup into an installation that has nothing yet (P26: what was deleted since stays deleted).

All of the archive is unpacked and checked before anything is made. The control database is then built aside, under
another name, and takes its place in the last step: until then no process finds anything to serve. Besides, while the
folder `RESTORING` is there, none starts. A restore that died is started over by the next one.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, inspect, select, update
from sqlalchemy.engine import make_url

from pigi.application import Application
from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.deletions import DeletionScope
from pigi.domain.retention import Retention, cutoff
from pigi.errors import Refused
from pigi.operations.access import ORGANISATION
from pigi.operations.backups.erasing import ACCOUNT, erase_all_again, follow_requests
from pigi.operations.backups.listing import adopt_backups
from pigi.operations.backups.making import SIGN_OF_LIFE
from pigi.operations.backups.manifests import CONTROL, MANIFEST, Manifest, decode
from pigi.operations.backups.settling import settle
from pigi.settings import RESTORING
from pigi.store.archives import Source, identity, unpack
from pigi.store.copies import copy_in, make_empty, put_in_place
from pigi.store.engines import make_engine
from pigi.store.erasures import ErasureLog, digest
from pigi.store.files import aside, locked, private_folder
from pigi.store.keyring import Keyring
from pigi.store.migrate import control_head, control_revision, migrate_control, migrate_tenant, tenant_head
from pigi.store.provision import tenant_databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pigi.settings import Settings

    OnStep = Callable[[int, int], None]

FILES = "files"
NOTE = "note.json"
"""What an interrupted restore leaves for the next: which databases it made, or that all is done but the last step."""
ASIDE = "_restoring"


@dataclass(frozen=True)
class RestoredBackup:
    """What a restore did.

    Attributes:
        begun_at: the moment of the oldest copy, as ISO 8601.
        organisations: how many have a database again.
        erased: organisations and accounts that were deleted after the backup was made, and are gone again.
        jobs: how many had not ended and were cancelled.
        missing: organisations that are there without their database, since the backup lacked it.
    """

    id: str
    begun_at: str
    organisations: int
    erased: int
    jobs: int
    missing: tuple[str, ...]


def restore_backup(
    settings: Settings, source: Source, identity_text: str, on_step: OnStep, *, erasures_lost: bool = False
) -> RestoredBackup:
    """Make the installation of the settings anew from a backup.

    ``erasures_lost`` goes on without the erasure log, if the stores do not have it: whoever was deleted after the
    backup was made is then there again. The audit chain says so.

    Raises:
        Refused: ``restore_not_empty``; ``erasures_missing``; what speaks against the backup or its key: ``backup_...``.
        FilesAwayError: a store cannot be asked.
    """
    key, keyring = identity(identity_text), Keyring.from_settings(settings)
    with locked(settings.home / "run" / "backup.lock"):
        note = _Note(settings.home / RESTORING)
        if _is_used(settings.database_url):
            return _finished(note)
        with note.until_begun():
            files = note.fresh(FILES)
            manifest = _checked(settings, keyring, files, unpack(source, key, files))
            log = _log(settings, manifest, erasures_lost=erasures_lost)
            _refuse_used(settings, manifest, note.begun())
        for one in note.begun():
            tenant_databases(settings).drop(one)
        note.begin(list(manifest.by_organisation))
        built = _aside(settings)
        result = _rebuild(built, manifest, files, log, on_step)
        note.finish(result)
        put_in_place(built.database_url, settings.database_url)
        note.close()
    return result


def _finished(note: _Note) -> RestoredBackup:
    """What a restore did that died after its last step; any other that finds the databases in use is refused."""
    done = note.done()
    if done is None:
        raise Refused("restore_not_empty")
    note.close()
    return done


class _Note:
    """The folder that keeps everything from starting, with a note in it of what was begun."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / NOTE

    def fresh(self, name: str) -> Path:
        """An empty folder within it."""
        shutil.rmtree(self._folder / name, ignore_errors=True)
        return private_folder(self._folder / name)

    def begun(self) -> list[str]:
        """The organisations whose databases an interrupted restore may have made."""
        found: list[str] = self._read().get("begun", [])
        return found

    def done(self) -> RestoredBackup | None:
        """What a restore did that came to its last step."""
        found = self._read().get("done")
        return None if found is None else RestoredBackup(**{**found, "missing": tuple(found["missing"])})

    def begin(self, organisations: list[str]) -> None:
        """Note which databases are about to be made."""
        self._write({"begun": organisations})

    def finish(self, result: RestoredBackup) -> None:
        """Note that all is done but the last step."""
        self._write({"begun": self.begun(), "done": asdict(result)})

    def close(self) -> None:
        """Let processes start."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def until_begun(self) -> Iterator[None]:
        """If this raises before anything was ever made, nothing is left to be finished, and processes may start."""
        try:
            yield
        except BaseException:
            if not self._file.exists():
                self.close()
            raise

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}

    def _write(self, data: dict[str, Any]) -> None:
        with aside(self._file) as draft:
            draft.write_text(json.dumps(data))


def _checked(settings: Settings, keyring: Keyring, files: Path, found: dict[str, str]) -> Manifest:
    """The manifest, if it and the files are what was backed up, and this installation can take them."""
    if MANIFEST not in found:
        raise Refused("backup_damaged")
    manifest = decode((files / MANIFEST).read_bytes(), keyring)
    if {copy.file: copy.sha256 for copy in manifest.copies} | {MANIFEST: found[MANIFEST]} != found:
        raise Refused("backup_damaged")
    if manifest.begun < cutoff(Retention.BACKUP, now()):
        raise Refused("backup_too_old")
    newest = max((copy.revision for copy in manifest.by_organisation.values()), default="")
    if manifest.control.revision > control_head() or newest > tenant_head():
        raise Refused("backup_newer")
    if manifest.engine != make_url(settings.database_url).get_backend_name():
        raise Refused("backup_other_engine")
    return manifest


def _log(settings: Settings, manifest: Manifest, *, erasures_lost: bool) -> ErasureLog | None:
    """The erasure log, if it is the one in which this backup was entered; None if that is lost."""
    log = ErasureLog.from_settings(settings)
    if digest(SIGN_OF_LIFE, manifest.id) in log.digests():
        return log
    if not erasures_lost:
        raise Refused("erasures_missing")
    return None


def _is_used(url: str) -> bool:
    """Whether the control database is anybody's: one that was only migrated has no organisation and no account."""
    if not control_revision(url):
        return False
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            there = [table for table in (ORGANISATION, ACCOUNT) if inspect(connection).has_table(table.name)]
            return any(connection.scalar(select(func.count()).select_from(table)) for table in there)
    finally:
        engine.dispose()


def _refuse_used(settings: Settings, manifest: Manifest, begun: list[str]) -> None:
    databases, made = tenant_databases(settings), set(begun)
    if any(one not in made and databases.exists(one) for one in manifest.by_organisation):
        raise Refused("restore_not_empty")


def _aside(settings: Settings) -> Settings:
    """The settings with another control database: the one that is being built."""
    url = make_url(settings.database_url)
    built = url.set(database=f"{url.database}{ASIDE}").render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": built})


def _rebuild(
    settings: Settings, manifest: Manifest, files: Path, log: ErasureLog | None, on_step: OnStep
) -> RestoredBackup:
    """Build everything; the control database of the settings is not yet the one that is served with."""
    kind = "backup.restored" if log is not None else "backup.restored_without_erasures"
    erased, noted = (set(), None) if log is None else (log.digests(), log.open_deletions())
    make_empty(settings.database_url)
    copy_in(settings.database_url, "control", manifest.control.revision, files / CONTROL)
    migrate_control(settings.database_url)
    application = Application.open(settings)
    try:
        # Organisations first, so that their databases are not even made; accounts last, since they are named there.
        gone = erase_all_again(application, DeletionScope.ORGANISATION, erased)
        if noted is not None:
            follow_requests(application, noted)
        missing = _rebuild_tenants(application, manifest, files, on_step)
        gone += erase_all_again(application, DeletionScope.ACCOUNT, erased)
        jobs = settle(application, kind, manifest.id, gone)
        adopt_backups(application)
        live = _organisations(application)
    finally:
        application.dispose()
    counts = {"organisations": len(live) - len(missing), "erased": gone, "jobs": jobs}
    return RestoredBackup(id=manifest.id, begun_at=manifest.begun_at, missing=missing, **counts)


def _organisations(application: Application) -> list[str]:
    """Those that must have a database."""
    query = select(ORGANISATION.c.id).where(ORGANISATION.c.state != OrganisationState.PURGING.value)
    with application.control.autocommit() as connection:
        return list(connection.execute(query.order_by(ORGANISATION.c.id)).scalars())


def _rebuild_tenants(application: Application, manifest: Manifest, files: Path, on_step: OnStep) -> tuple[str, ...]:
    """Make the databases of all that are there; returns the organisations whose database the backup lacks.

    Only theirs: whoever was deleted since has no row any more, and gets none.
    """
    databases, copies = tenant_databases(application.settings), manifest.by_organisation
    wanted = _organisations(application)
    for done, one in enumerate(wanted, start=1):
        if one not in copies:
            continue
        databases.create_bare(one)
        copy_in(databases.url(one), "tenant", copies[one].revision, files / copies[one].file)
        revision = migrate_tenant(databases.url(one))
        with application.control.transaction() as connection:
            this = update(ORGANISATION).where(ORGANISATION.c.id == one)
            connection.execute(this.values(schema_revision=revision))
        on_step(done, len(wanted))
    return tuple(one for one in wanted if one not in copies)
