"""The access export: all that is held about a person, in words and for programs, and nothing of anybody else."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime
from itertools import count

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import insert

from pigi.clock import now
from pigi.domain.access import Role
from pigi.domain.privacy import Category, Disclosure
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import EXPORT_ACCESS
from pigi.operations.exports import Owner, open_file, parts, read_export, request_access
from pigi.operations.exports.person import OTHERS
from pigi.operations.mail import address_hashes
from pigi.operations.policy import policy_history
from pigi.privacy.leads import CONTROL_LEADS, NOT_LED, SEALED_FOR, TENANT_LEADS, By
from pigi.store.keys import SEALED_BY_KEYRING
from pigi.store.people import Account
from pigi.store.schema import CONTROL, TENANT
from tasks import exports  # noqa: F401 - registers bodies
from tests.support.factories import make_organisation
from tests.support.jobs import make_worker_context, view
from tests.support.people import join, make_account, make_member

ACCOUNT = Account.__table__


def export(application, account_id, worker_context=None):
    """The files of a fresh access export."""
    job = request_access(application, account_id, f"account:{account_id}")
    run(HANDLERS[EXPORT_ACCESS.name], job.id, worker_context or make_worker_context(application))
    return files_of(application, account_id, job)


def files_of(application, account_id, job):
    file = open_file(application, Owner(account_id=account_id), job.subject_id)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(file.read(0, file.size))))
    assert archive.testzip() is None
    found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert list(found) == ["data.json", "data.schema.json", "index.html"]
    return found


def a_value(column, mark):
    """A value that says whose cell it is, in the form that the column takes."""
    kind = column.type.python_type if not hasattr(column.type, "impl") else datetime
    if kind is int:
        return 7
    if kind is float:
        return 7.5
    if kind is bool:
        return True
    if issubclass(kind, datetime):
        return now()
    if kind is date:
        return now().date()
    text = f"{mark}-{column.table.name}-{column.name}"
    return text.encode() if kind is bytes else text[: getattr(column.type, "length", None) or 80]


def as_written(value):
    """A cell of a key as JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


class Seeded:
    """A person with a row in every table that leads to people, every cell of it filled."""

    def __init__(self, application, organisation, mark):
        self.application, self.organisation, self.mark = application, organisation, mark
        self.id = make_account(application, f"{mark} name", f"{mark}@example.com")
        join(application, organisation, self.id, Role.OWNER)
        self.generation = new_id()
        self.version = policy_history(application).newest.number
        self.known = {
            By.ID: self.id,
            By.NAME: f"account:{self.id}",
            By.ADDRESS: f"{mark}@example.com",
            By.HASH: address_hashes(application, f"{mark}@example.com")[0],
        }
        self.keys = {"job": new_id(), "deletion": new_id(), "audit_content": int(mark[-1])}
        self.rows = {}

    def fill(self):
        with self.application.control.transaction() as connection:
            for table in CONTROL.sorted_tables:
                if table.name in CONTROL_LEADS and table.name not in {"account", "membership", "organisation"}:
                    self._insert(connection, table, CONTROL_LEADS[table.name])
        with self.application.tenants.session(self.organisation) as tenant:
            connection = tenant.connection()
            for name in ("project", "resource", "resource_revision", "generation", "live_text", "import"):
                self._insert(connection, TENANT.tables[name], TENANT_LEADS.get(name), tenant.sealer)
        return self

    def _insert(self, connection, table, led, sealer=None):
        values = {column.key: a_value(column, self.mark) for column in table.columns}
        values |= self._references(table)
        for lead in led.leads if led else ():
            if lead.by is not None and not (table.name == "mail" and lead.column == "subject_id"):
                values[lead.column] = self.known[lead.by]
        for column in table.columns if sealer else ():
            if isinstance(values[column.key], bytes):
                row = SEALED_FOR.get(table.name, "{id}").format(**values)
                values[column.key] = sealer.seal(values[column.key].decode(), table.name, column.name, row)
        for column in included(table):
            if column in SEALED_BY_KEYRING:
                use, row, value = SEALED_BY_KEYRING[column], values["id"], values[column.key]
                values[column.key] = self.application.keyring.seal(use, row, value)
        self.rows[table.name] = values
        connection.execute(insert(table), values)

    def _references(self, table):
        """Keys, and what refers to them."""
        given = {"organisation_id": self.organisation, "account_id": self.id, "job_id": self.keys["job"]}
        given |= {
            "deletion_id": self.keys["deletion"],
            "schedule": None,
            "project_id": self.mark,
            "resource_id": self.mark,
        }
        given |= {"generation_id": self.generation, "seq": self.keys["audit_content"], "epoch": 1}
        found = {name: value for name, value in given.items() if name in table.c}
        own = {"project": self.mark, "resource": self.mark, "generation": self.generation}
        if "id" in table.c and len(table.primary_key.columns) == 1:
            found["id"] = own.get(table.name) or self.keys.get(table.name) or new_id()
        if table.name == "job":
            found["subject_id"] = self.generation
        if table.name == "policy_notice":
            found["version"] = self.version
        if table.name == "audit_entry":
            # The next entry of whomever repeats it.
            found["entry_hash"] = "0" * 64
        if table.name == "export":
            found["state"] = "ready"
        return found


@pytest.fixture
def organisation(application):
    return make_organisation(application.control, application.tenants, "Shared Works")


def included(table):
    return [column for column in table.columns if column.info["facts"].access is Disclosure.INCLUDED]


def rows_of(data, name, organisation):
    if name in CONTROL_LEADS:
        return data["records"][name]
    (found,) = [one["records"] for one in data["organisations"] if one["id"] == organisation]
    return found[name]


def test_every_table_leads_to_people_or_says_why_not():
    assert sorted([*CONTROL_LEADS, *TENANT_LEADS, *NOT_LED]) == sorted([*CONTROL.tables, *TENANT.tables])
    for metadata, led in ((CONTROL, CONTROL_LEADS), (TENANT, TENANT_LEADS)):
        for name, found in led.items():
            assert {lead.column for lead in found.leads} <= set(metadata.tables[name].c.keys())


def test_no_cell_that_is_shown_is_sealed_where_nobody_opens_it():
    sealed = [
        column
        for table in CONTROL.tables.values()
        for column in included(table)
        if column.type.python_type is bytes and column not in SEALED_BY_KEYRING
    ]
    assert sealed == []


def test_every_cell_of_a_person_is_there_and_nothing_of_anybody_else(application, organisation):
    mine = Seeded(application, organisation, "mine1").fill()
    Seeded(application, organisation, "theirs2").fill()
    files = export(application, mine.id)
    data = json.loads(files["data.json"])
    Draft202012Validator(json.loads(files["data.schema.json"])).validate(data)
    for name, values in mine.rows.items():
        table = CONTROL.tables.get(name, TENANT.tables.get(name))
        if name in NOT_LED:
            continue
        # Of a key, too, what is secret is nobody's to see.
        key = {column.key: as_written(values[column.key]) for column in included(table) if column.primary_key}
        shown = [row for row in rows_of(data, name, organisation) if key.items() <= row.items()]
        assert len(shown) == 1, name
        for column in included(table):
            got, value = shown[0].get(column.key), values[column.key]
            if column.info["facts"].category is Category.CONTENT or column in SEALED_BY_KEYRING:
                value = a_value(column, "mine1")
                value = value.decode() if isinstance(value, bytes) else value
            if value is None or isinstance(value, (datetime, date)):
                continue
            assert got == value, f"{name}.{column.key}"
        assert shown[0].keys() <= {column.key for column in included(table)}
    assert data["person"] == {"id": mine.id, "name": "mine1 name", "email": "mine1@example.com"}
    assert (data["organisations"][0]["role"], data["organisations"][0]["problem"]) == ("owner", None)
    for text in files.values():
        assert "theirs2" not in text


def test_whom_somebody_invited_or_acted_on_is_nobody_that_they_are_told_of(application, organisation):
    person, other = make_member(application, organisation, Role.OWNER), make_member(application, organisation)
    moment = now()
    invitation = {
        "id": new_id(), "organisation_id": organisation, "email": "Guest@example.org", "email_key": "guest@example.org",
        "role": "member", "invited_by": person, "token_hash": "x", "created_at": moment, "expires_at": moment,
    }  # fmt: skip
    act = {"organisation_id": organisation, "salt": b"s", "details": json.dumps({"account": other})}
    with application.control.transaction() as connection:
        connection.execute(insert(CONTROL.tables["invitation"]), invitation)
        acting = {"seq": 99, "actor": f"account:{person}", "subject": f"account:{other}"}
        connection.execute(insert(CONTROL.tables["audit_content"]), {**act, **acting})
    files = export(application, person)
    data = json.loads(files["data.json"])
    assert data["records"]["invitation"][0]["id"] == invitation["id"]
    (told,) = [row for row in data["records"]["audit_content"] if row["seq"] == 99]
    assert (told["subject"], told["details"]) == (OTHERS, OTHERS)
    for text in files.values():
        assert "uest@example.org" not in text
        assert other not in text


def test_a_broken_organisation_is_named_and_keeps_nothing_else_back(application, organisation):
    person = Seeded(application, organisation, "mine1").fill()
    broken = make_organisation(application.control, application.tenants, "Broken Works")
    join(application, broken, person.id)
    application.tenants.drop(broken)
    data = json.loads(export(application, person.id)["data.json"])
    problems = {one["id"]: one["problem"] is not None for one in data["organisations"]}
    assert problems == {organisation: False, broken: True}
    assert len(rows_of(data, "project", organisation)) == 1


def test_of_an_organisation_that_they_left_there_is_what_they_did_and_not_what_is_written_there(
    application, organisation
):
    person = Seeded(application, organisation, "mine1").fill()
    membership = CONTROL.tables["membership"]
    with application.control.transaction() as connection:
        connection.execute(membership.delete().where(membership.c.account_id == person.id))
    data = json.loads(export(application, person.id)["data.json"])
    (revision,) = rows_of(data, "resource_revision", organisation)
    assert revision["author"] == f"account:{person.id}"
    assert "content" not in revision


def test_the_page_is_whole_and_tells_rights_periods_and_recipients(application, organisation):
    person = Seeded(application, organisation, "mine1").fill()
    page = export(application, person.id)["index.html"]
    for said in (
        "What Pigi holds about you",
        "30 days from the end of the job",
        "Stripe",
        "Bunny Fonts",
        "supervisory",
    ):
        assert said in page
    assert "<script" not in page
    assert "<link" not in page
    assert "src=" not in page


def test_whoever_takes_over_goes_on_where_the_last_part_ended(application, organisation, monkeypatch):
    person = Seeded(application, organisation, "mine1").fill()
    whole = json.loads(export(application, person.id)["data.json"])
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    job = request_access(application, person.id, f"account:{person.id}")
    for attempt in count(1):
        # To take up again what is written asks once a part, and how many pages a part takes, compression decides.
        written = read_export(application, Owner(account_id=person.id), job.subject_id).parts
        left = iter(range(len(written) + 10 + attempt))
        stopping = make_worker_context(application, draining=lambda left=left: next(left, None) is None)
        run(HANDLERS[EXPORT_ACCESS.name], job.id, stopping)
        if view(application.control, job.id).state == "succeeded":
            break
    data = json.loads(files_of(application, person.id, job)["data.json"])
    export_row = read_export(application, Owner(account_id=person.id), job.subject_id)
    assert len({part.attempt for part in export_row.parts}) >= 2
    assert data["records"].keys() == whole["records"].keys()
    assert data["records"]["invitation"] == whole["records"]["invitation"]
    assert data["organisations"] == whole["organisations"]
