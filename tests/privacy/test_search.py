"""The final search finds what was left in any place, says apart what is kept, and never passes over a place."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.engine import make_url

from pigi.clock import now
from pigi.domain.retention import Retention, keep
from pigi.errors import Temporary
from pigi.ids import new_id
from pigi.privacy import databases
from pigi.privacy.search import Looked, SearchTerms, search
from pigi.store.billing import BillingLine
from pigi.store.deletions import Deletion
from pigi.store.ledgers import RequestLog
from pigi.store.objects import Objects
from pigi.store.records import Backup
from pigi.store.tenant import Project

CUSTOMER = "cus_Gone1234"
LINE = {"at": now(), "request_id": "r", "method": "GET", "route": "/", "status": 200, "ms": 1.0}
DUE = {"requested_at": now(), "restorable_until": now(), "final_by": now()}


class Place:
    """An installation of which something was deleted; ``left`` is its identifier."""

    def __init__(self, application, redis_server):
        self.application = application
        self.settings = application.settings.model_copy(update={"redis_url": redis_server.url})
        self.redis = redis_server.client
        self.left = new_id()

    def insert(self, table, **values):
        with self.application.control.transaction() as connection:
            connection.execute(insert(table), values)

    def write(self, name, text):
        path = self.settings.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def look(self, *identifiers, scope="organisation", organisations=()):
        terms = SearchTerms(scope, self.left, (CUSTOMER, *identifiers), organisations)
        return search(self.settings, self.application.control, terms)

    def found(self, *identifiers, **options):
        return {looked.place: looked.found for looked in self.look(*identifiers, **options) if looked.found}


@pytest.fixture
def place(with_redis, redis_server):
    return Place(with_redis, redis_server)


def a_text(place):
    place.insert(RequestLog, **{**LINE, "route": f"/x/{place.left}/y"})


def a_blob(place):
    sealed = b"\0\x01" + place.left.encode()
    place.insert(Deletion, id=new_id(), receipt_id=new_id(), scope="organisation", state="done", terms=sealed, **DUE)


def a_database(place):
    place.application.tenants.provision(place.left)


def an_object(place):
    place.application.files.put(f"organisations/{place.left}/exports/1", b"")


def what_an_object_holds(place):
    place.application.files.put("organisations/another", f"... {place.left} ...".encode())


LEFT = {
    "a text": (a_text, "control.request_log"),
    "a blob": (a_blob, "control.deletion"),
    "a database": (a_database, "tenant"),
    "an object": (an_object, "files"),
    "what an object holds": (what_an_object_holds, "files"),
    "a backup's name": (lambda place: Objects(place.settings.backups_url).put(f"x-{place.left}", b""), "backups"),
    "a key of Redis": (lambda place: place.redis.set(f"pigi:{place.left}", 1), "redis"),
    "a string": (lambda place: place.redis.set("a", place.left), "redis"),
    "a message": (lambda place: place.redis.lpush("pigi:mail", "x", place.left), "redis"),
    "a hash": (lambda place: place.redis.hset("a", "field", place.left), "redis"),
    "a set": (lambda place: place.redis.sadd("a", place.left), "redis"),
    "a sorted set": (lambda place: place.redis.zadd("a", {place.left: 1}), "redis"),
    "a stream": (lambda place: place.redis.xadd("a", {"field": place.left}), "redis"),
    "a log": (lambda place: place.write("logs/web.log", f'{{"event": "{place.left}"}}'), "logs"),
    "an old log": (lambda place: place.write("logs/web.log.1", f'{{"event": "{place.left}"}}'), "logs"),
    "a file": (lambda place: place.write("new/file", f"x{place.left.replace('-', '')}x"), "home"),
}


def test_nothing_is_found_where_nothing_was_left_and_every_place_was_looked_at(place):
    looked = place.look()
    assert [one for one in looked if one.found or one.kept] == []
    stores = [one.place for one in looked if not one.place.startswith("control.")]
    assert stores == ["tenant", "files", "redis", "logs", "home", "development"] or stores[0] == "backups"
    assert {"control.job", "control.audit_content", "control.alembic_version"} <= {one.place for one in looked}
    assert place.look() == looked


@pytest.mark.parametrize("what", LEFT)
def test_what_was_left_is_found(place, what):
    plant, where = LEFT[what]
    plant(place)
    assert place.found().keys() - {"control.files"} == {where}


def test_each_of_many_identifiers_is_found_in_either_form(place):
    jobs = [new_id() for _ in range(100)]
    place.insert(RequestLog, **{**LINE, "request_id": f"f0{jobs[50].replace('-', '')}", "job_id": jobs[99]})
    assert place.found(*jobs)["control.request_log"] == 2
    assert place.found("Anna@Example.org") == {}


def test_more_rows_than_one_batch_are_read(place, monkeypatch):
    monkeypatch.setattr(databases, "BATCH", 3)
    for number in range(7):
        place.insert(RequestLog, **{**LINE, "organisation_id": place.left if number == 6 else new_id()})
    assert {(one.looked_at, one.found) for one in place.look() if one.place == "control.request_log"} == {(7, 1)}


def test_what_is_kept_is_told_apart(place):
    ids = {"id": new_id(), "receipt_id": new_id(), "scope": "organisation", "state": "searching"}
    place.insert(Deletion, **ids, subject_id=place.left, requested_by=f"account:{new_id()}", **DUE)
    money = {"event_type": "invoice.paid", "amount": 1, "currency": "eur", "status": "paid", "occurred_at": now()}
    place.insert(BillingLine, event_id="evt_1", customer_id=CUSTOMER, year_end=now().date(), **money)
    made = now() - timedelta(days=3)
    place.insert(Backup, id=new_id(), name="b", organisations=1, bytes=1, made_at=made)
    place.insert(Backup, id=new_id(), name="a", organisations=1, bytes=1, made_at=made, removed_at=now())
    kept = {one.place: one for one in place.look() if one.kept}
    assert place.found() == {}
    assert kept.pop("backups") == Looked("backups", 0, 0, 1, (made + keep(Retention.BACKUP)).date().isoformat())
    assert kept.pop("control.files", None) in {None, *place.look()}
    assert kept == {
        "control.deletion": Looked("control.deletion", 1, 0, 1),
        "control.billing_log": Looked("control.billing_log", 1, 0, 1),
    }


def a_project(place, organisation):
    """One that the deleted account made in another's organisation."""
    project = {"id": new_id(), "name": b"", "name_key": "k", "description": b"", "state": "active", "revision": 1}
    with place.application.tenants.session(organisation) as tenant:
        values = {**project, "created_by": f"account:{place.left}", "created_at": now(), "updated_at": now()}
        tenant.connection().execute(insert(Project), values)


def test_what_another_organisations_database_says_of_an_account_is_found(place, organisation):
    a_project(place, organisation)
    found = place.found(scope="account", organisations=(organisation, new_id()))
    assert found.pop("tenant.files", 1) == 1
    assert found == {"tenant.project": 1}


def test_a_place_that_is_out_of_reach_is_not_passed_over(place):
    place.settings = place.application.settings
    with pytest.raises(Temporary, match="search_incomplete"):
        place.look()


class TestBytes:
    """What lies in a file's bytes and in no row."""

    @pytest.fixture
    def engine_kind(self):
        return "sqlite"

    def test_a_removed_row_is_gone_from_the_bytes_as_well(self, place):
        a_text(place)
        with place.application.control.transaction() as connection:
            connection.execute(delete(RequestLog))
        assert place.found() == {}

    def test_what_was_removed_without_being_overwritten_is_found(self, place):
        with sqlite3.connect(make_url(place.settings.database_url).database) as careless:
            careless.execute("PRAGMA secure_delete = OFF")
            columns = "at, request_id, method, route, status, ms"
            values = ("2026-01-01T00:00:00.000000Z", place.left, "GET", "/", 200, 1.0)
            careless.execute(f"INSERT INTO request_log ({columns}) VALUES (?, ?, ?, ?, ?, ?)", values)
            careless.commit()
            careless.execute("DELETE FROM request_log")
            careless.commit()
        careless.close()
        assert place.found() == {"control.files": 1}

    def test_what_the_write_ahead_log_still_holds_is_found_until_it_is_cut(self, place, monkeypatch):
        monkeypatch.setattr(databases, "PATIENCE", 0.01)
        a_text(place)
        reader = sqlite3.connect(make_url(place.settings.database_url).database)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM request_log").fetchone()
        with place.application.control.transaction() as connection:
            connection.execute(delete(RequestLog))
        assert place.found().keys() == {"control.files"}
        reader.close()
        assert place.found() == {}

    def test_what_went_from_another_organisations_rows_is_gone_from_its_file_and_log(
        self, place, organisation, monkeypatch
    ):
        monkeypatch.setattr(databases, "PATIENCE", 0.01)
        a_project(place, organisation)
        file = Path(make_url(place.settings.tenant_database_url).database.replace("{id}", organisation))
        reader = sqlite3.connect(file)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM project").fetchone()
        with place.application.tenants.session(organisation) as tenant:
            tenant.connection().execute(delete(Project))
        looking = {"scope": "account", "organisations": (organisation,)}
        assert place.found(**looking).keys() == {"tenant.files"}
        reader.close()
        assert place.found(**looking) == {}
        assert all(place.left.encode() not in path.read_bytes() for path in file.parent.glob(f"{organisation}*"))

    def test_a_kept_row_explains_its_own_bytes_and_no_others(self, place):
        ids = {"id": new_id(), "receipt_id": new_id(), "scope": "organisation", "state": "searching"}
        place.insert(Deletion, **ids, subject_id=place.left, **DUE)
        assert place.found() == {}
        a_text(place)
        assert place.found() == {"control.request_log": 1, "control.files": 1}
