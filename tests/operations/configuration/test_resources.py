"""Resources: what is kept, how revisions follow one another, and what is refused."""

from __future__ import annotations

import ast
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, assume, given, settings
from sqlalchemy import select

from pigi.domain.preconditions import Tags, read_tags
from pigi.domain.resources import RESOURCES
from pigi.domain.resources.saving import check_content
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    count_resources,
    create_project,
    create_resource,
    list_resources,
    list_revisions,
    read_resource,
    read_revision,
    replace_resource,
    revisions,
    unarchive_project,
    unarchive_resource,
)
from pigi.store.tenant import Resource, ResourceRevision
from tests.support.chance import many
from tests.support.contents import AGENT, CONTENTS, DOCUMENT, GITHUB_TOKEN, NAME_FIELDS, any_content
from tests.support.factories import make_organisation
from tests.support.jobs import MARKER, caller_of
from tests.support.sources import modules

ANY = Tags(anything=True)


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


@pytest.fixture
def project(application, caller):
    return create_project(application, caller, "Shop").id


@pytest.fixture
def document(application, caller, project):
    return create_resource(application, caller, project, "document", DOCUMENT)


def place_of(resource):
    return ResourceAddress(resource.project_id, resource.kind, resource.id)


def code_of(act, *arguments, **others):
    with pytest.raises(Refused) as refused:
        act(*arguments, **others)
    return refused.value.code


def bodied(body):
    return {**DOCUMENT, "body": body}


@pytest.mark.parametrize("kind", list(RESOURCES))
def test_what_was_made_can_be_read(application, caller, project, kind):
    made = create_resource(application, caller, project, kind, CONTENTS[kind])
    assert read_resource(application, caller, place_of(made)) == made
    assert made.content == CONTENTS[kind]
    assert (made.kind, made.revision, made.state, made.tag) == (kind, 1, "active", '"1"')
    assert made.name == CONTENTS[kind][NAME_FIELDS[kind]]


def test_names_and_contents_are_sealed(application, caller, project):
    made = create_resource(application, caller, project, "document", {"title": MARKER, "body": MARKER})
    with application.tenants.read(caller.organisation_id) as tenant:
        (row,) = tenant.connection().execute(select(Resource.__table__)).all()
        (revision,) = tenant.connection().execute(select(ResourceRevision.__table__)).all()
    assert MARKER.encode() not in row.name + revision.content
    assert MARKER not in repr(made)


def test_what_a_person_should_look_at_is_said_with_it(application, caller, project):
    made = create_resource(application, caller, project, "agent", {**AGENT, "tools": []})
    assert [found.rule for found in made.findings] == ["inherits-all-tools"]
    assert read_resource(application, caller, place_of(made)).findings == made.findings


@settings(max_examples=many(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_content)
def test_accepted_content_comes_back_byte_by_byte(application, caller, project, written):
    kind, content = written
    try:
        text = check_content(kind, content).text
    except Refused:
        assume(False)
    made = create_resource(application, caller, project, kind, content)
    read = read_resource(application, caller, place_of(made))
    assert json.dumps(read.content, ensure_ascii=False, separators=(",", ":")) == text
    assert replace_resource(application, caller, place_of(made), ANY, read.content) == made
    archive_resource(application, caller, place_of(made))


def test_each_change_is_a_revision_and_none_is_lost(application, caller, document):
    place = place_of(document)
    other = caller_of(caller.organisation_id)
    second = replace_resource(application, other, place, read_tags('"1"'), bodied("two"))
    third = replace_resource(application, caller, place, read_tags('"2"'), bodied("three"))
    assert (second.revision, third.revision, third.tag) == (2, 3, '"3"')
    history = list_revisions(application, caller, place)
    assert [(each.number, each.author, each.origin) for each in history] == [
        (3, caller.name, "written"),
        (2, other.name, "written"),
        (1, caller.name, "written"),
    ]
    assert [each.content for each in history] == [None, None, None]
    bodies = [read_revision(application, caller, place, number).content["body"] for number in (1, 2, 3)]
    assert bodies == [DOCUMENT["body"], "two", "three"]
    assert read_resource(application, caller, place).content["body"] == "three"


def test_a_change_of_nothing_makes_no_revision(application, caller, document):
    place = place_of(document)
    assert replace_resource(application, caller, place, read_tags('"1"'), DOCUMENT) == document
    assert replace_resource(application, caller, place, ANY, {**DOCUMENT, "body": DOCUMENT["body"]}) == document
    assert len(list_revisions(application, caller, place)) == 1


def test_a_change_must_know_the_revision(application, caller, document):
    place = place_of(document)
    assert code_of(replace_resource, application, caller, place, None, bodied("x")) == "precondition_required"
    for header in ('"2"', 'W/"1"', "1", "", '"1-archived"'):
        code = code_of(replace_resource, application, caller, place, read_tags(header), bodied("x"))
        assert code == "precondition_failed"
    assert read_resource(application, caller, place) == document
    assert replace_resource(application, caller, place, read_tags('"7", "1"'), bodied("x")).revision == 2
    assert replace_resource(application, caller, place, read_tags("*"), bodied("y")).revision == 3


def test_of_two_changes_at_once_one_wins(application, caller, document):
    gate = Barrier(2)

    def change(number):
        gate.wait()
        try:
            changed = replace_resource(application, caller, place_of(document), read_tags('"1"'), bodied(f"{number}"))
        except Refused as refused:
            return refused.code
        return changed.revision

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(change, range(2)))
    assert sorted(map(str, answers)) == ["2", "precondition_failed"]
    assert len(list_revisions(application, caller, place_of(document))) == 2


def test_numbers_have_no_gaps_when_many_write_together(application, caller, document):
    place = place_of(document)
    gate = Barrier(4)

    def write(writer):
        gate.wait()
        return [
            replace_resource(application, caller, place, ANY, bodied(f"{writer}.{turn}")).revision for turn in range(5)
        ]

    with ThreadPoolExecutor(4) as pool:
        told = [number for numbers in pool.map(write, range(4)) for number in numbers]
    assert sorted(told) == list(range(2, 22))
    assert [each.number for each in list_revisions(application, caller, place)] == list(range(21, 0, -1))
    bodies = {read_revision(application, caller, place, number).content["body"] for number in range(1, 22)}
    assert len(bodies) == 21


def test_a_name_is_unique_in_its_project_and_kind(application, caller, project, document):
    assert code_of(create_resource, application, caller, project, "document", {**DOCUMENT, "title": "how we TEST"}) == (
        "name_taken"
    )
    settings_of_that_name = {**CONTENTS["settings"], "name": DOCUMENT["title"]}
    create_resource(application, caller, project, "settings", settings_of_that_name)
    other = create_project(application, caller, "Other").id
    create_resource(application, caller, other, "document", DOCUMENT)


def test_a_change_may_rename_but_not_to_a_name_that_is_taken(application, caller, project, document):
    other = create_resource(application, caller, project, "document", {**DOCUMENT, "title": "Other"})
    assert code_of(replace_resource, application, caller, place_of(other), ANY, DOCUMENT) == "name_taken"
    assert read_resource(application, caller, place_of(other)) == other
    assert len(list_revisions(application, caller, place_of(other))) == 1
    renamed = replace_resource(application, caller, place_of(document), ANY, {**DOCUMENT, "title": "New"})
    assert renamed.name == "New"
    assert create_resource(application, caller, project, "document", DOCUMENT).name == DOCUMENT["title"]


def test_of_two_that_take_a_name_together_one_gets_it(application, caller, project):
    gate = Barrier(2)

    def make(_number):
        gate.wait()
        try:
            return create_resource(application, caller, project, "agent", AGENT).id
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(make, range(2)))
    assert answers.count("name_taken") == 1


def test_an_archived_resource_keeps_its_revisions_and_cannot_be_changed(application, caller, project, document):
    place = place_of(document)
    archived = archive_resource(application, caller, place)
    assert (archived.state, archived.tag, archived.content) == ("archived", '"1-archived"', document.content)
    assert archive_resource(application, caller, place) == archived
    assert list_resources(application, caller, project, "document") == []
    assert [each.id for each in list_resources(application, caller, project, "document", state="archived")] == [
        document.id
    ]
    assert code_of(replace_resource, application, caller, place, ANY, bodied("x")) == "archived"
    assert len(list_revisions(application, caller, place)) == 1
    assert unarchive_resource(application, caller, place) == document
    assert unarchive_resource(application, caller, place) == document


def test_an_archived_name_is_free_and_may_be_lost(application, caller, project, document):
    archive_resource(application, caller, place_of(document))
    create_resource(application, caller, project, "document", DOCUMENT)
    assert code_of(unarchive_resource, application, caller, place_of(document)) == "name_taken"


def test_nothing_changes_in_an_archived_project(application, caller, project, document):
    archive_project(application, caller, project)
    place = place_of(document)
    assert code_of(create_resource, application, caller, project, "agent", AGENT) == "archived"
    assert code_of(replace_resource, application, caller, place, ANY, bodied("x")) == "archived"
    assert code_of(archive_resource, application, caller, place) == "archived"
    assert code_of(unarchive_resource, application, caller, place) == "archived"
    assert read_resource(application, caller, place) == document
    assert len(list_resources(application, caller, project, "document")) == 1
    unarchive_project(application, caller, project)
    assert replace_resource(application, caller, place, ANY, bodied("x")).revision == 2


def test_there_are_only_so_many(application, caller, project, document, monkeypatch):
    monkeypatch.setattr(revisions, "MOST", 2)
    agent = create_resource(application, caller, project, "agent", AGENT)
    with pytest.raises(Refused) as refused:
        create_resource(application, caller, project, "agent", {**AGENT, "name": "b"})
    assert (refused.value.code, refused.value.details) == ("too_many_resources", {"limit": 2})
    archive_resource(application, caller, place_of(agent))
    create_resource(application, caller, project, "agent", {**AGENT, "name": "b"})
    assert code_of(unarchive_resource, application, caller, place_of(agent)) == "too_many_resources"
    assert replace_resource(application, caller, place_of(document), ANY, bodied("x")).revision == 2


def test_the_limit_holds_when_many_ask_together(application, caller, project, monkeypatch):
    monkeypatch.setattr(revisions, "MOST", 2)
    gate = Barrier(6)

    def make(number):
        gate.wait()
        try:
            create_resource(application, caller, project, "agent", {**AGENT, "name": f"agent-{number}"})
        except Refused as refused:
            return refused.code
        return "made"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(make, range(6)))
    assert answers.count("made") == 2
    assert len(list_resources(application, caller, project, "agent")) == 2


def test_lists_show_a_kind_newest_first_in_pages(application, caller, project, document):
    made = [
        create_resource(application, caller, project, "agent", {**AGENT, "name": f"agent-{number}"})
        for number in range(5)
    ]
    first = list_resources(application, caller, project, "agent", limit=3)
    rest = list_resources(application, caller, project, "agent", limit=3, before=first[-1].id)
    assert [each.id for each in [*first, *rest]] == sorted((each.id for each in made), reverse=True)
    assert {each.content for each in first} == {None}


def test_lists_are_sorted_by_name_as_people_read_it_and_by_change(application, caller, project):
    names = ["zeta", "alpha-10", "beta", "alpha-2"]
    made = {name: create_resource(application, caller, project, "agent", {**AGENT, "name": name}).id for name in names}

    def listed(**stretch):
        return [each.name for each in list_resources(application, caller, project, "agent", **stretch)]

    assert listed(sort="name") == ["alpha-2", "alpha-10", "beta", "zeta"]
    assert listed(sort="name", limit=2, before=made["alpha-2"]) == ["alpha-10", "beta"]
    assert listed(sort="name", limit=2, after=made["zeta"]) == ["alpha-10", "beta"]
    archive_resource(application, caller, ResourceAddress(project, "agent", made["beta"]))
    assert listed(sort="name", before=made["beta"]) == ["zeta"]
    replace_resource(
        application, caller, ResourceAddress(project, "agent", made["alpha-10"]), ANY, {**AGENT, "name": "omega"}
    )
    assert listed(sort="changed") == ["omega", "alpha-2", "zeta"]
    assert listed(sort="changed", before=made["alpha-2"]) == ["zeta"]
    counts = count_resources(application, caller, [project])[project]
    assert counts == {("agent", "active"): 3, ("agent", "archived"): 1}


def test_revisions_come_in_pages(application, caller, document):
    place = place_of(document)
    for number in range(4):
        replace_resource(application, caller, place, ANY, bodied(str(number)))
    assert [each.number for each in list_revisions(application, caller, place, limit=2)] == [5, 4]
    assert [each.number for each in list_revisions(application, caller, place, limit=9, before=4)] == [3, 2, 1]


def test_what_is_wrong_is_refused_before_anything_is_looked_up(application, caller, project, document):
    place = place_of(document)
    for act in (
        lambda content: create_resource(application, caller, project, "document", content),
        lambda content: replace_resource(application, caller, place, ANY, content),
    ):
        assert code_of(act, {**DOCUMENT, "unknown": 1}) == "invalid"
        assert code_of(act, {**DOCUMENT, "applies_to": ["/etc"]}) == "invalid"
        assert code_of(act, bodied(GITHUB_TOKEN)) == "secret_found"
    assert len(list_revisions(application, caller, place)) == 1


def test_a_resource_is_found_at_its_own_place_only(application, caller, control, tenants, project, document):
    other_project = create_project(application, caller, "Other").id
    wrong = [
        ResourceAddress(other_project, "document", document.id),
        ResourceAddress(project, "agent", document.id),
        ResourceAddress(project, "document", new_id()),
        ResourceAddress(project, "document", "../x"),
        ResourceAddress("x", "document", document.id),
    ]
    for place in wrong:
        for act in (read_resource, archive_resource, unarchive_resource, list_revisions):
            assert code_of(act, application, caller, place) == "not_found"
        assert code_of(read_revision, application, caller, place, 1) == "not_found"
        assert code_of(replace_resource, application, caller, place, ANY, CONTENTS[place.kind]) == "not_found"
    for number in (0, 2, -1, 2**31, 10**30):
        assert code_of(read_revision, application, caller, place_of(document), number) == "not_found"
    for absent in (new_id(), "x"):
        assert code_of(list_resources, application, caller, absent, "document") == "not_found"
        assert code_of(create_resource, application, caller, absent, "document", DOCUMENT) == "not_found"
    stranger = caller_of(make_organisation(control, tenants))
    assert code_of(read_resource, application, stranger, place_of(document)) == "not_found"


def test_a_revision_moved_to_another_resource_does_not_open(application, caller, project, document):
    other = create_resource(application, caller, project, "document", {**DOCUMENT, "title": "Other"})
    table = ResourceRevision.__table__
    with application.tenants.session(caller.organisation_id) as tenant:
        stolen = tenant.connection().execute(select(table.c.content).where(table.c.resource_id == document.id)).scalar()
        tenant.connection().execute(table.update().where(table.c.resource_id == other.id).values(content=stolen))
    with pytest.raises(Exception, match="seal_broken"):
        read_resource(application, caller, place_of(other))


def test_no_code_changes_a_revision_and_none_deletes_it_but_with_its_archived_resource():
    removal = "pigi/operations/configuration/removal.py"
    sources = {path: tree for path, tree in modules().items() if path.startswith("pigi/") and path != removal}
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and any(
                isinstance(inner, ast.Name) and inner.id in {"REVISION", "ResourceRevision"} for inner in node.args
            ):
                assert getattr(node.func, "id", "") not in {"update", "delete"}, path
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "REVISION":
                assert node.attr not in {"update", "delete"}, path
