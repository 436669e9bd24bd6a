"""Backups and restores: what comes back is what there was, without what was deleted since, and serves only whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from pigi.application import Application
from pigi.cli.failures import failure_of
from pigi.clock import now
from pigi.domain.deletions import DeletionScope
from pigi.domain.retention import Retention, keep
from pigi.errors import Misconfigured, Refused
from pigi.ids import new_id
from pigi.jobs.kinds import RECONCILE_BILLING, SEND_MAIL
from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import verify
from pigi.operations.backups import (
    adopt_backups,
    list_backups,
    make_backup,
    make_daily,
    manifests,
)
from pigi.operations.deletion import delete_organisation, note_open_deletions, open_deletion, restore_organisation
from pigi.operations.keys import report_keys
from pigi.operations.retention.removal import batches
from pigi.settings import Settings
from pigi.store.archives import make_identity
from pigi.store.control import IdempotencyKey, Organisation
from pigi.store.deletions import Deletion
from pigi.store.erasures import ErasureLog
from pigi.store.objects import Objects
from pigi.store.people import Account, Session
from pigi.store.provision import tenant_databases
from pigi.store.tenant import Project
from pigi.store.tenants import TenantMissingError
from tests.support.disasters import Disaster, held_backup, held_restore, rows_of, tenant_rows
from tests.support.factories import add_generation, make_organisation
from tests.support.furnished import furnish
from tests.support.jobs import ask, take

CHANGED = {"alembic_version", "job", "effect", "organisation", "session", "idempotency_key", "backup", "export"}
"""Tables of the control database that a restore changes, besides the audit chain."""
AUDIT = {"audit_entry", "audit_content", "audit_anchor"}


@pytest.fixture
def disaster(stores, settings, tmp_path):
    found = Disaster(stores, settings, tmp_path / "new")
    yield found
    stores.clean(found.new)


@pytest.fixture
def after(disaster):
    """Opens what was restored."""
    opened = []

    def open_it():
        opened.append(Application.open(disaster.new))
        return opened[-1]

    yield open_it
    for one in opened:
        one.dispose()


def count(application, table):
    with application.control.autocommit() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_what_is_restored_is_what_was_there(disaster, application, after):
    harbour, mill = furnish(application), furnish(application, "Mill")
    before = rows_of(disaster.settings.database_url)
    contents = {one.organisation: tenant_rows(disaster.settings, one.organisation) for one in (harbour, mill)}
    made = disaster.back_up()
    assert (made.organisations, made.failed) == (2, ())
    archive = disaster.bytes_of(made)
    assert made.bytes == len(archive)
    assert b"Harbour Works" not in archive
    disaster.lose()
    done = disaster.restore(archive)
    assert (done.organisations, done.erased, done.missing) == (2, 0, ())
    again = rows_of(disaster.new.database_url)
    assert {name: rows for name, rows in again.items() if name not in CHANGED | AUDIT} == {
        name: rows for name, rows in before.items() if name not in CHANGED | AUDIT
    }
    assert {one: tenant_rows(disaster.new, one) for one in contents} == contents
    restored = after()
    assert verify(restored).ok
    with restored.tenants.read(harbour.organisation) as session:
        assert session.scalar(text("SELECT count(*) FROM resource")) == 4


def test_nothing_that_was_under_way_takes_effect_once_more(disaster, application, after):
    harbour = furnish(application)
    waiting = ask(application.control, SEND_MAIL, harbour.organisation)
    running = ask(application.control, SEND_MAIL, harbour.organisation)
    take(application.control, SEND_MAIL, running)
    epoch = select(Organisation.epoch)
    with application.control.transaction() as connection:
        was = connection.scalar(epoch)
        key = {"caller": "x", "key_hash": new_id(), "body_hash": "b", "token": new_id(), "created_at": now()}
        connection.execute(insert(IdempotencyKey).values(**key))
    archive = disaster.bytes_of(disaster.back_up())
    disaster.lose()
    done = disaster.restore(archive)
    restored = after()
    with restored.control.autocommit() as connection:
        states = dict(connection.execute(select(JOB.c.id, JOB.c.state)).all())
        reasons = connection.scalars(select(JOB.c.reason).where(JOB.c.id.in_([waiting, running]))).all()
        queued = connection.scalars(select(JOB.c.kind).where(JOB.c.state == "queued")).all()
        owed = connection.scalar(select(func.count()).where(JOB.c.kind == SEND_MAIL.name, JOB.c.cleanup_at.is_(None)))
        assert connection.scalar(epoch) == was + 1
    assert (states[waiting], states[running], set(reasons)) == ("cancelled", "cancelled", {"restored"})
    assert (queued, owed, done.jobs >= 2) == ([RECONCILE_BILLING.name], 0, True)
    assert (count(restored, Session.__table__), count(restored, IdempotencyKey.__table__)) == (0, 0)


def write_pair(application, organisation):
    """A row in each of two tables, in one transaction: a copy of one moment has both or none."""
    with application.tenants.session(organisation) as session:
        one, moment = add_generation(session), now()
        named = {"id": one, "name": b"n", "name_key": one, "description": b"d", "state": "active", "revision": 1}
        session.add(Project(**named, created_at=moment, updated_at=moment, created_by="test"))


def test_a_copy_under_load_is_of_one_moment(disaster, application, after):
    organisation = make_organisation(application.control, application.tenants)
    over = threading.Event()

    def write():
        write_pair(application, organisation)
        while not over.is_set():
            write_pair(application, organisation)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        archives = [disaster.bytes_of(disaster.back_up()) for _ in range(3)]
    finally:
        over.set()
        for writer in writers:
            writer.join()
    disaster.lose()
    disaster.restore(archives[-1])
    with after().tenants.read(organisation) as session:
        generations = set(session.scalars(text("SELECT id FROM generation")))
        assert generations == set(session.scalars(text("SELECT id FROM project")))
    assert generations


def test_what_was_deleted_after_the_backup_stays_deleted(disaster, application, after):
    harbour, mill = furnish(application), furnish(application, "Mill")
    archive = disaster.bytes_of(disaster.back_up())
    log = ErasureLog.from_settings(disaster.settings)
    log.add("organisation", harbour.organisation, now())
    log.add("account", harbour.owner, now())
    log.add("account", mill.owner, now())
    disaster.lose()
    done = disaster.restore(archive)
    assert (done.organisations, done.erased) == (1, 3)
    restored = after()
    assert not tenant_databases(disaster.new).exists(harbour.organisation)
    with pytest.raises(TenantMissingError), restored.tenants.read(harbour.organisation):
        pass
    told = repr(rows_of(disaster.new.database_url))
    assert harbour.organisation not in told
    assert harbour.owner not in told
    assert mill.owner not in told + repr(tenant_rows(disaster.new, mill.organisation))
    assert mill.organisation in told
    assert verify(restored).ok


def test_a_deletion_in_its_grace_goes_on_and_one_that_was_undone_does_not(disaster, application, after):
    later, undone = furnish(application), furnish(application, "Mill")
    delete_organisation(application, undone.caller)
    archive = disaster.bytes_of(disaster.back_up())
    restore_organisation(application, undone.caller)
    delete_organisation(application, later.caller)
    with application.control.transaction() as connection:
        open_deletion(connection, DeletionScope.ACCOUNT, later.member, "account:x", ["x"])
    note_open_deletions(application)
    with application.control.autocommit() as connection:
        requested = connection.scalar(select(Organisation.deletion_at).where(Organisation.id == later.organisation))
    disaster.lose()
    disaster.restore(archive)
    restored = after()
    with restored.control.autocommit() as connection:
        found = connection.execute(select(Organisation.id, Organisation.state, Organisation.deletion_at)).all()
        (begun,) = connection.execute(select(Deletion.subject_id, Deletion.state)).all()
        assert tuple(begun) == (later.member, "grace")
        states = dict(connection.execute(select(Account.id, Account.state)).all())
    assert (states[later.member], states[undone.member]) == ("deleting", "active")
    assert {tuple(row) for row in found} == {
        (later.organisation, "deleting", requested),
        (undone.organisation, "active", None),
    }


def test_a_broken_database_keeps_no_other_out_of_the_backup(disaster, application, after):
    whole = make_organisation(application.control, application.tenants)
    broken = make_organisation(application.control, application.tenants)
    application.tenants.drop(broken)
    made = disaster.back_up()
    assert (made.organisations, made.failed) == (1, (broken,))
    archive = disaster.bytes_of(made)
    disaster.lose()
    done = disaster.restore(archive)
    assert (done.organisations, done.missing) == (1, (broken,))
    with after().tenants.read(whole) as session:
        assert session.scalar(text("SELECT count(*) FROM project")) == 0


def test_what_is_damaged_on_disk_is_named(sqlite_stores, tmp_path):
    disaster = Disaster(sqlite_stores, sqlite_stores.fresh(tmp_path / "home"), tmp_path / "new")
    application = Application.open(disaster.settings)
    broken = make_organisation(application.control, application.tenants)
    application.dispose()
    path = Path(tenant_databases(disaster.settings).file(broken) or "")
    path.write_bytes(path.read_bytes()[:8192] + b"\xff" * 8192)
    assert disaster.back_up().failed == (broken,)


def test_a_backup_that_is_killed_leaves_nothing(disaster, application):
    organisations = [make_organisation(application.control, application.tenants) for _ in range(2)]
    application.dispose()
    disaster.killed(held_backup, disaster.settings)
    assert disaster.stored() == []
    made = disaster.back_up()
    assert (made.organisations, len(disaster.stored())) == (len(organisations), 1)
    folder = Path(disaster.settings.backups_url.removeprefix("file://"))
    assert [path.name for path in folder.rglob("*age*")] == [made.name]
    assert not (disaster.settings.home / "copying").exists()


def test_a_restore_that_is_killed_serves_nothing_and_is_done_over(disaster, application, after, monkeypatch):
    organisations = {make_organisation(application.control, application.tenants) for _ in range(2)}
    archive = disaster.bytes_of(disaster.back_up())
    application.dispose()
    disaster.lose()
    disaster.killed(held_restore, disaster.new, archive, disaster.identity)
    monkeypatch.setenv("PIGI_HOME", str(disaster.new.home))
    with pytest.raises(Misconfigured, match="a restore is under way"):
        Settings.from_environment()
    assert disaster.restore(archive).organisations == 2
    assert Settings.from_environment().home == disaster.new.home
    with after().control.autocommit() as connection:
        assert set(connection.scalars(select(Organisation.id))) == organisations


@pytest.fixture
def archive(disaster, application):
    """A backup of an installation that was lost."""
    make_organisation(application.control, application.tenants)
    made = disaster.back_up()
    application.dispose()
    found = disaster.bytes_of(made)
    disaster.lose()
    return found


def refused(disaster, archive, **options):
    """The code that a restore is refused with; it leaves nothing behind that would keep Pigi from starting."""
    with pytest.raises(Refused) as refusal:
        disaster.restore(archive, **options)
    assert not (disaster.new.home / "restoring").exists()
    return refusal.value.code


def test_what_is_no_whole_backup_is_refused(disaster, archive):
    for cut in (0, 100, len(archive) // 2, len(archive) - 1):
        assert refused(disaster, archive[:cut]) == "backup_damaged"
    for place in (300, len(archive) // 2, len(archive) - 1):
        altered = bytearray(archive)
        altered[place] ^= 1
        assert refused(disaster, bytes(altered)) == "backup_damaged"
    assert refused(disaster, archive, identity=make_identity()[0]) == "backup_identity_wrong"
    assert refused(disaster, archive, identity="hunter2") == "backup_identity_invalid"
    mine, *_ = disaster.new.secret_keys.split(":")
    for name, code in ((mine, "backup_unsigned"), ("other", "backup_key_missing")):
        stranger = disaster.new.model_copy(update={"secret_keys": f"{name}:{'A' * 43}="})
        assert refused(disaster, archive, settings=stranger) == code


def test_a_backup_from_before_a_rotation_says_which_removed_key_it_needs(disaster, archive, after):
    mine, new = disaster.new.secret_keys, f"new:{'A' * 43}="
    with pytest.raises(Refused) as refusal:
        disaster.restore(archive, settings=disaster.new.model_copy(update={"secret_keys": new}))
    assert refusal.value.details == {"keys": mine.split(":")[0]}
    assert failure_of(refusal.value).message.endswith(f"keyring: {mine.split(':')[0]}.")
    disaster.new = disaster.new.model_copy(update={"secret_keys": f"{new},{mine}"})
    disaster.restore(archive)
    restored = after()
    with restored.control.autocommit() as connection:
        (organisation,) = connection.scalars(select(Organisation.id))
    with restored.tenants.session(organisation) as session:
        add_generation(session)
    assert report_keys(restored).old_rows


def test_a_backup_past_its_period_is_refused(disaster, archive, monkeypatch):
    period = keep(Retention.BACKUP)
    monkeypatch.setattr("pigi.operations.backups.restoring.now", lambda: now() + period)
    assert refused(disaster, archive) == "backup_too_old"


def test_nothing_is_overwritten(disaster, archive, after):
    disaster.restore(archive)
    before = rows_of(disaster.new.database_url)
    assert refused(disaster, archive) == "restore_not_empty"
    assert rows_of(disaster.new.database_url) == before


def test_without_the_erasure_log_of_its_time_nothing_is_restored_unasked(disaster, archive, after):
    for url in (disaster.new.backups_url, disaster.new.files_url):
        Objects(url).remove("erasures")
    assert refused(disaster, archive) == "erasures_missing"
    disaster.restore(archive, erasures_lost=True)
    with after().control.autocommit() as connection:
        kinds = connection.scalars(text("SELECT kind FROM audit_entry ORDER BY seq")).all()
    assert kinds[-1] == "backup.restored_without_erasures"


def test_without_a_key_nothing_is_backed_up(application, tmp_path):
    with pytest.raises(Refused) as refusal:
        make_backup(application, "operator:cli", tmp_path / "x")
    assert refusal.value.code == "backup_recipient_missing"
    assert make_daily(None, application) is None
    wrong = replace(application, settings=application.settings.model_copy(update={"backup_recipient": "age1x"}))
    with pytest.raises(Refused, match="backup_recipient_invalid"):
        make_backup(wrong, "operator:cli")


def test_a_backup_goes_when_its_period_is_over_also_one_that_nobody_noted(disaster, application):
    made = disaster.back_up()
    with application.control.autocommit() as connection:
        connection.execute(text("DELETE FROM backup"))
    assert adopt_backups(application) == 1
    (view,) = list_backups(application)
    assert (view.id, view.made_at) == (made.id, made.begun_at.replace(microsecond=0))
    assert sum(batches(application, Retention.BACKUP, view.removed_by)) == 0
    assert disaster.stored() == [f"backups/{view.name}"]
    assert sum(batches(application, Retention.BACKUP, view.removed_by + timedelta(seconds=1))) == 1
    assert disaster.stored() == []
    assert manifests.parse_name("20260101T000000Z-x.tar.age") is None
