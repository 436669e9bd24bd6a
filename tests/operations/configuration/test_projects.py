"""Projects: what is kept of them, whose name is free, and who wins when two change one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from pigi.domain.preconditions import Tags, read_tags
from pigi.errors import Refused, Temporary
from pigi.ids import new_id
from pigi.operations.access import changing
from pigi.operations.audit import list_entries
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    change_project,
    create_project,
    create_resource,
    list_projects,
    projects,
    read_project,
    unarchive_project,
    unarchive_resource,
)
from pigi.store.base import TenantBase
from pigi.store.tenant import IndexKey, Project
from tests.support.contents import GITHUB_TOKEN
from tests.support.factories import make_organisation
from tests.support.jobs import MARKER, caller_of

ANY = Tags(anything=True)


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


@pytest.fixture
def project(application, caller):
    return create_project(application, caller, "Shop", "What the shop runs on.")


def code_of(act, *arguments, **others):
    with pytest.raises(Refused) as refused:
        act(*arguments, **others)
    return refused.value.code


def rows(application, caller, table):
    with application.tenants.read(caller.organisation_id) as tenant:
        return tenant.connection().execute(select(table.__table__)).all()


def test_what_was_made_can_be_read(application, caller, project):
    assert read_project(application, caller, project.id) == project
    assert (project.name, project.description, project.state) == ("Shop", "What the shop runs on.", "active")
    assert (project.revision, project.tag, project.created_by) == (1, '"1"', caller.name)


def test_names_and_descriptions_are_sealed(application, caller):
    create_project(application, caller, f"Name {MARKER}", f"Description {MARKER}")
    (row,) = rows(application, caller, Project)
    assert MARKER.encode() not in row.name + row.description
    assert MARKER not in row.name_key
    assert MARKER not in repr(read_project(application, caller, row.id))


def test_no_two_have_the_same_name_however_it_is_written(application, caller, project):
    for name in ("Shop", "  shop ", "SHOP", "\uff33hop"):
        assert code_of(create_project, application, caller, name) == "name_taken"
    create_project(application, caller, "Shop 2")
    assert len(list_projects(application, caller)) == 2


def test_equal_names_of_two_organisations_look_different(application, caller, control, tenants, project):
    other = caller_of(make_organisation(control, tenants))
    create_project(application, other, "Shop")
    ((mine,), (theirs,)) = rows(application, caller, Project), rows(application, other, Project)
    assert mine.name_key != theirs.name_key


def test_the_key_of_names_is_made_once_and_sealed(application, caller, project):
    create_project(application, caller, "Another")
    (row,) = rows(application, caller, IndexKey)
    assert len(row.key) > 64


def test_the_first_projects_may_be_made_together(application, caller):
    gate = Barrier(4)

    def make(number):
        gate.wait()
        return create_project(application, caller, f"Project {number}")

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))
    assert {project.id for project in list_projects(application, caller)} == {project.id for project in made}
    assert code_of(create_project, application, caller, "project 3") == "name_taken"


def test_of_two_that_take_a_name_together_one_gets_it(application, caller, project):
    gate = Barrier(2)

    def make(_number):
        gate.wait()
        try:
            return create_project(application, caller, "Twin").id
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(make, range(2)))
    assert answers.count("name_taken") == 1


def test_a_change_makes_a_revision(application, caller, project):
    changed = change_project(application, caller, project.id, read_tags('"1"'), name="Store")
    assert (changed.name, changed.description, changed.revision) == ("Store", project.description, 2)
    assert changed.updated_at > project.updated_at
    again = change_project(application, caller, project.id, read_tags('"2"'), description="")
    assert (again.name, again.description, again.revision) == ("Store", "", 3)
    assert read_project(application, caller, project.id) == again


def test_a_change_of_nothing_makes_none(application, caller, project):
    assert change_project(application, caller, project.id, ANY, name="Shop") == project
    assert change_project(application, caller, project.id, ANY) == project


def test_a_change_of_its_own_names_letters_is_allowed(application, caller, project):
    assert change_project(application, caller, project.id, ANY, name="SHOP").name == "SHOP"


def test_a_change_must_know_the_revision(application, caller, project):
    assert code_of(change_project, application, caller, project.id, None, name="x") == "precondition_required"
    for header in ('"2"', 'W/"1"', "1", ""):
        tags = read_tags(header)
        assert code_of(change_project, application, caller, project.id, tags, name="x") == "precondition_failed"
    assert read_project(application, caller, project.id) == project


def test_of_two_changes_at_once_one_wins(application, caller, project):
    gate = Barrier(2)

    def change(number):
        gate.wait()
        try:
            return change_project(application, caller, project.id, read_tags('"1"'), name=f"Name {number}").revision
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(change, range(2)))
    assert sorted(map(str, answers)) == ["2", "precondition_failed"]


def test_a_name_that_is_taken_stays_with_its_project(application, caller, project):
    other = create_project(application, caller, "Other")
    assert code_of(change_project, application, caller, other.id, ANY, name="shop") == "name_taken"
    assert read_project(application, caller, other.id) == other


def test_an_archived_project_is_out_of_the_list_and_cannot_be_changed(application, caller, project):
    archived = archive_project(application, caller, project.id)
    assert (archived.state, archived.revision, archived.tag) == ("archived", 1, '"1-archived"')
    assert archive_project(application, caller, project.id) == archived
    assert list_projects(application, caller) == []
    assert list_projects(application, caller, state="archived") == [archived]
    assert code_of(change_project, application, caller, project.id, ANY, name="x") == "archived"
    assert read_project(application, caller, project.id) == archived


def test_archiving_and_bringing_back_are_in_the_audit_log_once_each(application, caller, project):
    place = create_resource(application, caller, project.id, "document", {"title": "T", "body": "B"}).id
    address = ResourceAddress(project.id, "document", place)
    for archive, back, what in (
        (archive_resource, unarchive_resource, address),
        (archive_project, unarchive_project, project.id),
    ):
        for move in (archive, archive, back, back):
            move(application, caller, what)
    entries = list_entries(application, caller.organisation_id, limit=9)
    expected = [("resource", place), ("project", project.id)]
    assert [(entry.kind, entry.subject) for entry in reversed(entries)] == [
        (f"{noun}.{act}", f"{noun}:{one}") for noun, one in expected for act in ("archived", "unarchived")
    ]
    assert {entry.actor for entry in entries} == {caller.name}


def test_unarchiving_brings_it_back_as_it_was(application, caller, project):
    archive_project(application, caller, project.id)
    assert unarchive_project(application, caller, project.id) == project
    assert unarchive_project(application, caller, project.id) == project


def test_an_archived_name_is_free_and_may_be_lost(application, caller, project):
    archive_project(application, caller, project.id)
    create_project(application, caller, "Shop")
    assert code_of(unarchive_project, application, caller, project.id) == "name_taken"
    assert read_project(application, caller, project.id).state == "archived"


def test_there_are_only_so_many(application, caller, project, monkeypatch):
    monkeypatch.setattr(projects, "PROJECTS", 2)
    other = create_project(application, caller, "Other")
    with pytest.raises(Refused) as refused:
        create_project(application, caller, "Third")
    assert (refused.value.code, refused.value.details) == ("too_many_projects", {"limit": 2})
    archive_project(application, caller, other.id)
    create_project(application, caller, "Third")
    assert code_of(unarchive_project, application, caller, other.id) == "too_many_projects"


def test_the_limit_holds_when_many_ask_together(application, caller, project, monkeypatch):
    monkeypatch.setattr(projects, "PROJECTS", 3)
    gate = Barrier(6)

    def make(number):
        gate.wait()
        try:
            create_project(application, caller, f"Number {number}")
        except Refused as refused:
            return refused.code
        return "made"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(make, range(6)))
    assert answers.count("made") == 2
    assert len(list_projects(application, caller)) == 3


def test_pages_follow_one_another(application, caller):
    made = [create_project(application, caller, f"Project {number}") for number in range(5)]
    first = list_projects(application, caller, limit=3)
    rest = list_projects(application, caller, limit=3, before=first[-1].id)
    assert [*first, *rest] == sorted(made, key=lambda project: project.id, reverse=True)


def test_secrets_are_refused_wherever_they_are_written(application, caller, project):
    assert code_of(create_project, application, caller, GITHUB_TOKEN) == "secret_found"
    assert code_of(create_project, application, caller, "x", f"Use {GITHUB_TOKEN}") == "secret_found"
    change = {"description": GITHUB_TOKEN}
    assert code_of(change_project, application, caller, project.id, ANY, **change) == "secret_found"
    assert code_of(create_project, application, caller, "a\u202eb") == "invalid"


@pytest.mark.parametrize("project_id", ["", "x", "../x", "0190f0f0-0000-7000-8000-00000000000Z"])
def test_what_is_no_id_is_not_found(application, caller, project_id):
    for act in (read_project, archive_project, unarchive_project):
        assert code_of(act, application, caller, project_id) == "not_found"
    assert code_of(change_project, application, caller, project_id, ANY) == "not_found"


def test_another_organisations_project_is_not_found(application, caller, control, tenants, project):
    other = caller_of(make_organisation(control, tenants))
    for act in (read_project, archive_project):
        assert code_of(act, application, other, project.id) == "not_found"
        assert code_of(act, application, caller, new_id()) == "not_found"


def test_a_database_that_was_not_migrated_yet_is_said_to_be_behind(application, caller):
    with application.tenants.session(caller.organisation_id) as tenant:
        mine = [TenantBase.metadata.tables[name] for name in ("resource_revision", "resource", "project", "index_key")]
        TenantBase.metadata.drop_all(tenant.connection(), mine)
    for act in (lambda: list_projects(application, caller), lambda: create_project(application, caller, "x")):
        with pytest.raises(Temporary) as away:
            act()
        assert away.value.code == "tenant_behind"


def test_other_failures_of_a_database_stay_what_they_are(application, caller):
    with pytest.raises(ZeroDivisionError), changing(application, caller):
        raise ZeroDivisionError
