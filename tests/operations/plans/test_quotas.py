"""Quotas: each write is counted where it is made, one at the limit is refused whole, and the count is what is there."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain import limits
from pigi.domain.access import Caller, Role
from pigi.domain.audit import MOST_A_DAY
from pigi.domain.preconditions import Tags
from pigi.domain.retention import Retention
from pigi.errors import Refused
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import SWEEP_GENERATIONS
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    change_project,
    create_project,
    create_resource,
    largest_resources,
    list_projects,
    list_resources,
    list_revisions,
    read_resource,
    replace_resource,
    unarchive_project,
    unarchive_resource,
)
from pigi.operations.exports import request_configuration
from pigi.operations.generations import Target, accept_draft
from pigi.operations.imports import accept_import, discard_import, list_imports, read_import, uploads
from pigi.operations.organisations import change_organisation, read_organisation
from pigi.operations.organisations.organisations import OrganisationChange
from pigi.operations.plans import Growth, quotas, read_stored, recount
from pigi.operations.storage import delete_project, delete_resource
from pigi.store.ledgers import AuditContent, AuditEntry
from pigi.store.tenant import Storage
from tests.support.contents import AGENT, CONTENTS, NAME_FIELDS
from tests.support.furnished import drafted
from tests.support.imports import accept, document_of, project_of, read, resource_of, upload
from tests.support.jobs import ask, caller_of, row_of
from tests.support.people import make_member
from tests.support.retention import hold

ANY = Tags(anything=True)
STORAGE = Storage.__table__


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


def bounded(application, **most):
    """One that charges nobody and allows so much of each."""
    plans = json.dumps({"unmetered": most})
    return replace(application, settings=application.settings.model_copy(update={"plans": plans}))


def stored(application, caller):
    with application.tenants.read(caller.organisation_id) as session:
        return read_stored(session)


def add(application, caller, project, name, kind="agent", **others):
    return create_resource(application, caller, project, kind, {**CONTENTS[kind], NAME_FIELDS[kind]: name, **others})


def place_of(resource):
    return ResourceAddress(resource.project_id, resource.kind, resource.id)


def save(application, caller, resource, words):
    content = {**AGENT, "name": resource.name, "instructions": words}
    return replace_resource(application, caller, place_of(resource), ANY, content)


def refusal_of(act, *arguments, **others):
    with pytest.raises(Refused) as refused:
        act(*arguments, **others)
    return refused.value


def drift(application, caller):
    """By how much the counts are wrong; they are put right."""
    return recount(application.tenants, caller.organisation_id)


def alter(application, caller, statement):
    with application.tenants.session(caller.organisation_id) as session:
        session.execute(statement)


# What is counted


def test_each_sort_of_write_counts_what_it_stores(application, caller):
    project = create_project(application, caller, "Shop", "Sells things").id
    resource = add(application, caller, project, "a" * 40)
    assert drift(application, caller) == Growth()
    before = stored(application, caller)
    save(application, caller, resource, "ü" * 1000)
    after = stored(application, caller)
    assert after.bytes - before.bytes > 2000
    assert (after.projects, after.resources, after.writes_today) == (1, 1, 3)
    save(application, caller, resource, "ü" * 1000)
    assert stored(application, caller) == after, "nothing was changed"
    replace_resource(application, caller, place_of(resource), ANY, {**AGENT, "name": "a"})
    change_project(application, caller, project, ANY, name="Shopping", description="")
    archive_resource(application, caller, place_of(resource))
    archive_resource(application, caller, place_of(resource))
    unarchive_resource(application, caller, place_of(resource))
    archive_project(application, caller, project)
    unarchive_project(application, caller, project)
    assert stored(application, caller).writes_today == 9
    assert drift(application, caller) == Growth()


def test_an_accepted_draft_counts_as_what_it_becomes(application, caller):
    project = create_project(application, caller, "Shop").id
    made = accept_draft(application, caller, drafted(application, caller)[0], Target(project))
    archive_resource(application, caller, place_of(made))
    target = add(application, caller, project, "other")
    accept_draft(application, caller, drafted(application, caller)[0], Target(project, target.id, ANY))
    assert stored(application, caller).writes_today == 5
    assert drift(application, caller) == Growth()


def test_an_import_counts_all_that_it_adds(application, caller):
    project = create_project(application, caller, "Shop").id
    add(application, caller, project, "a", instructions="Other.")
    resources = (resource_of("agent", "a", 3), resource_of("document", revisions=2), resource_of("agent", "b"))
    data = document_of(project_of("Shop", *resources), project_of("Dépôt", resource_of("agent", "c", 4)))
    found = read(application, caller, data)
    before = stored(application, caller)
    assert accept(application, caller, found.id).state == "succeeded"
    after = stored(application, caller)
    assert (after.projects, after.resources) == (3, 5), "what is there with other content goes into a project beside it"
    assert after.writes_today == before.writes_today + 2 + 10
    assert found.report["storing"] == {
        "bytes": after.bytes - before.bytes,
        "projects": 2,
        "resources": 4,
        "writes": 12,
    }
    assert drift(application, caller) == Growth()


ACTS = ("create", "save", "rename", "archive", "return", "archive project", "return project", "change project")


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5), st.text(max_size=80)), max_size=14))
def test_whatever_is_done_the_count_is_what_a_recount_finds(application, caller, acts):
    small = bounded(application, bytes=40_000, writes_a_day=10_000)
    for act, which, text in acts:
        try:
            _do(small, caller, act, which, text)
        except Refused as refused:
            assert refused.code in {"plan_limit", "name_taken", "archived", "invalid", "secret_found"}  # noqa: PT017
    assert drift(application, caller) == Growth()
    assert stored(application, caller).bytes <= 40_000


def _do(application, caller, act, which, text):
    listed = list_projects(application, caller, state="archived" if act == "return project" else "active")
    if not listed:
        create_project(application, caller, f"Project {which}", text)
        return
    project = listed[which % len(listed)]
    state = "archived" if act == "return" else "active"
    found = list_resources(application, caller, project.id, "agent", state=state)
    if act == "archive project":
        archive_project(application, caller, project.id)
    elif act == "return project":
        unarchive_project(application, caller, project.id)
    elif act == "change project":
        change_project(application, caller, project.id, ANY, description=text)
    elif act == "create" or not found:
        add(application, caller, project.id, f"agent-{which}", instructions=f"x{text}")
    elif act == "save":
        save(application, caller, found[which % len(found)], f"y{text}")
    elif act == "rename":
        content = {**AGENT, "name": f"agent-{which}{which}"}
        replace_resource(application, caller, place_of(found[0]), ANY, content)
    else:
        (unarchive_resource if act == "return" else archive_resource)(application, caller, place_of(found[0]))


# At the limit


def test_what_does_not_fit_is_refused_before_anything_of_it_is_there(application, caller):
    project = create_project(application, caller, "Shop").id
    resource = add(application, caller, project, "a")
    ready = drafted(application, caller)[0]
    used = stored(application, caller).bytes
    full = bounded(application, bytes=used + 100)
    for act, arguments in (
        (save, (resource, "x" * 200)),
        (add, (project, "b")),
        (accept_draft, (ready, Target(project, resource.id, ANY))),
        (create_project, ("Docs",)),
        (change_project, (project, ANY)),
    ):
        others = {"description": "d" * 200} if act is change_project else {}
        refused = refusal_of(act, full, caller, *arguments, **others)
        details = {name: refused.details[name] for name in ("what", "limit", "used", "plan")}
        assert (refused.code, details) == (
            "plan_limit",
            {"what": "bytes", "limit": used + 100, "used": used, "plan": "Unmetered"},
        )
        assert refused.details["adding"] > 100
        assert "retry_after" not in refused.details
    assert len(list_revisions(application, caller, place_of(resource))) == 1
    assert stored(application, caller).bytes == used
    assert archive_resource(full, caller, place_of(resource)).state == "archived"
    accept_draft(application, caller, ready, Target(project))


def test_archiving_frees_no_bytes(application, caller):
    """Or whoever archives and makes anew, again and again, could store without end."""
    small = bounded(application, bytes=8_000)
    project = create_project(small, caller, "Shop").id
    while (resource := made(small, caller, project)) is not None:
        archive_resource(small, caller, place_of(resource))
    assert 2 <= stored(application, caller).resources <= 10


def made(application, caller, project):
    """Another of the same name, or None once the plan has no room."""
    try:
        return add(application, caller, project, "a")
    except Refused as refused:
        assert (refused.code, refused.details["what"]) == ("plan_limit", "bytes")  # noqa: PT017
        return None


def test_a_days_writes_are_over_until_the_next_day_and_archiving_goes_on(application, caller):
    few = bounded(application, writes_a_day=4)
    project = create_project(few, caller, "Shop").id
    resource = add(few, caller, project, "a")
    save(few, caller, resource, "b")
    archive_resource(few, caller, place_of(resource))
    refused = refusal_of(unarchive_resource, few, caller, place_of(resource))
    assert (refused.code, refused.details["what"], refused.details["used"]) == ("plan_limit", "writes_a_day", 4)
    assert 0 < refused.details["retry_after"] <= 86_401
    other = add(application, caller, project, "b")
    assert archive_resource(few, caller, place_of(other)).state == "archived", "what takes away is never stopped"
    alter(application, caller, update(STORAGE).values(day=now().date() - timedelta(days=1)))
    assert stored(application, caller).writes_today == 0
    assert unarchive_resource(few, caller, place_of(resource)).state == "active"
    assert stored(application, caller).writes_today == 1


@pytest.mark.parametrize("most", [{"bytes": 6_000}, {"writes_a_day": 9}])
def test_an_import_that_does_not_fit_places_nothing(application, caller, most):
    data = document_of(project_of("Shop", *(resource_of("agent", f"agent-{number}", 3) for number in range(5))))
    found = read(application, caller, data)
    refused = refusal_of(accept_import, bounded(application, **most), caller, found.id)
    assert (refused.code, refused.details["what"]) == ("plan_limit", next(iter(most)))
    assert refused.details["adding"] > refused.details["limit"]
    assert "retry_after" not in refused.details, "it does not fit into another day either"
    assert list_projects(application, caller) == []
    assert read_import(application, caller, found.id).state == "ready"
    assert accept(application, caller, found.id).state == "succeeded"


@pytest.mark.parametrize(("name", "what"), [("PROJECTS_KEPT", "projects"), ("RESOURCES_KEPT", "resources")])
def test_what_is_archived_counts_among_what_exists(application, caller, monkeypatch, name, what):
    monkeypatch.setattr(quotas, name, 2)
    project = create_project(application, caller, "Shop").id
    for number in range(2 if what == "resources" else 1):
        if what == "resources":
            archive_resource(application, caller, place_of(add(application, caller, project, f"a{number}")))
        else:
            archive_project(application, caller, create_project(application, caller, f"Old {number}").id)
    act = (add, (project, "c")) if what == "resources" else (create_project, ("New",))
    refused = refusal_of(act[0], application, caller, *act[1])
    assert (refused.code, refused.details) == ("too_many_kept", {"what": what, "limit": 2, "used": 2})
    assert getattr(limits, name) >= 2_000


def test_of_writers_at_the_limit_as_many_pass_as_there_is_room(application, caller):
    resources = []
    for number in range(6):
        project = create_project(application, caller, f"Project {number}").id
        resources.append(add(application, caller, project, "a"))
    used = stored(application, caller)
    save(application, caller, resources[0], "z" * 500)
    each = stored(application, caller).bytes - used.bytes
    tight = bounded(application, bytes=used.bytes + 3 * each + each // 2)
    gate = Barrier(5)

    def one(resource):
        gate.wait()
        try:
            save(tight, caller, resource, "z" * 500)
        except Refused as refused:
            return refused.details["what"]
        return "done"

    with ThreadPoolExecutor(5) as pool:
        got = sorted(pool.map(one, resources[1:]))
    assert got == ["bytes"] * 3 + ["done"] * 2
    assert drift(application, caller) == Growth()


# Making room


@pytest.fixture
def owner(application, organisation):
    return Caller(organisation, Role.OWNER, make_member(application, organisation, Role.OWNER), confirmed=True)


def acts(application):
    with application.control.read() as session:
        entries = session.execute(
            select(AuditEntry.kind, AuditContent.subject)
            .join(AuditContent, AuditContent.seq == AuditEntry.seq)
            .order_by(AuditEntry.seq)
        ).all()
    return [tuple(entry) for entry in entries if entry.kind.endswith(".deleted")]


def test_only_what_is_archived_is_deleted_for_good_and_then_there_is_room(application, owner):
    project = create_project(application, owner, "Shop").id
    empty = stored(application, owner)
    kept, gone = add(application, owner, project, "a"), add(application, owner, project, "b")
    save(application, owner, gone, "x" * 5000)
    full = bounded(application, bytes=stored(application, owner).bytes)
    assert refusal_of(delete_resource, full, owner, place_of(gone)).code == "not_archived"
    assert refusal_of(delete_project, full, owner, project).code == "not_archived"
    archive_resource(full, owner, place_of(gone))
    largest = largest_resources(full, owner)
    assert [(one.name, one.revisions, one.is_archived) for one in largest] == [("b", 2, True), ("a", 1, False)]
    assert sum(one.bytes for one in largest) == stored(application, owner).bytes - empty.bytes
    delete_resource(full, owner, place_of(gone))
    assert refusal_of(read_resource, full, owner, place_of(gone)).code == "not_found"
    assert refusal_of(delete_resource, full, owner, place_of(gone)).code == "not_found"
    assert stored(application, owner).resources == 1
    assert add(full, owner, project, "c")
    archive_project(full, owner, project)
    delete_resource(full, owner, place_of(kept))
    delete_project(full, owner, project)
    left = stored(application, owner)
    assert (left.bytes, left.projects, left.resources) == (0, 0, 0)
    assert drift(application, owner) == Growth()
    assert acts(application) == [
        ("resource.deleted", f"resource:{gone.id}"),
        ("resource.deleted", f"resource:{kept.id}"),
        ("project.deleted", f"project:{project}"),
    ]


def test_a_legal_hold_keeps_what_is_archived(application, owner):
    project = create_project(application, owner, "Shop").id
    resource = add(application, owner, project, "a")
    archive_project(application, owner, project)
    before = stored(application, owner)
    hold(application, owner.organisation_id, Retention.CONFIGURATION)
    assert refusal_of(delete_resource, application, owner, place_of(resource)).code == "configuration_held"
    assert refusal_of(delete_project, application, owner, project).code == "configuration_held"
    assert read_resource(application, owner, place_of(resource)).name == "a"
    assert (stored(application, owner), acts(application)) == (before, [])


# What else could be repeated without end


def test_an_act_that_leaves_an_entry_each_time_is_bounded_by_the_day(application, owner, monkeypatch):
    monkeypatch.setitem(MOST_A_DAY, "organisation.renamed", 2)
    monkeypatch.setitem(MOST_A_DAY, "export.requested", 1)
    for name in ("One", "Two"):
        change_organisation(application, owner, OrganisationChange(name=name))
    refused = refusal_of(change_organisation, application, owner, OrganisationChange(name="Three"))
    assert (refused.code, refused.details["limit"]) == ("too_many_today", 2)
    assert 0 < refused.details["retry_after"] <= 86_401
    assert read_organisation(application, owner).name == "Two"
    request_configuration(application, owner)
    assert refusal_of(request_configuration, application, owner).code == "too_many_today"


def test_uploads_that_are_discarded_count_towards_the_day(application, caller, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_A_DAY", 2)
    for _ in range(2):
        discard_import(application, caller, upload(application, caller, document_of()))
    refused = refusal_of(upload, application, caller, document_of())
    assert (refused.code, refused.details["limit"]) == ("too_many_today", 2)
    assert [one.state for one in list_imports(application, caller)] == ["discarded"] * 2
    assert list(application.files.find("organisations")) == []


# Counting anew


def test_what_was_there_before_is_counted_by_the_first_write(application, caller):
    project = create_project(application, caller, "Shop").id
    add(application, caller, project, "a")
    whole = stored(application, caller)
    alter(application, caller, delete(STORAGE))
    assert replace_fields(stored(application, caller)) == replace_fields(whole), "and shown before it"
    create_project(application, caller, "Docs")
    assert stored(application, caller).bytes > whole.bytes
    assert stored(application, caller).projects == 2
    assert drift(application, caller) == Growth()


def replace_fields(seen):
    return seen.bytes, seen.projects, seen.resources


def test_the_night_puts_right_what_is_wrong_once_it_is_due(application, caller, worker_context, control):
    import tasks.generations  # noqa: F401 - registers the sweep

    create_project(application, caller, "Shop")
    true = stored(application, caller)

    def night():
        job = ask(control, SWEEP_GENERATIONS)
        run(HANDLERS[SWEEP_GENERATIONS.name], job, worker_context)
        assert row_of(control, job).state == "succeeded"
        return stored(application, caller)

    wrong = {"bytes": 1, "projects": 9, "resources": 9}
    alter(application, caller, update(STORAGE).values(**wrong))
    assert night().bytes == 1, "it was counted just now"
    alter(application, caller, update(STORAGE).values(counted_at=now() - timedelta(hours=20)))
    assert night() == true
    yesterday = now() - timedelta(days=1)
    alter(
        application,
        caller,
        update(STORAGE).values(**wrong, counted_at=yesterday, day=(yesterday.date() - timedelta(1))),
    )
    assert night().bytes == 1, "nothing was written since"
    alter(application, caller, update(STORAGE).values(counted_at=now() - timedelta(days=8)))
    assert replace_fields(night()) == replace_fields(true)


def test_a_recount_takes_nothing_from_what_is_written_meanwhile(application, caller, monkeypatch):
    create_project(application, caller, "Shop")
    alter(application, caller, update(STORAGE).values(bytes=STORAGE.c.bytes + 5_000))
    session_of = type(application.tenants).session

    def first_another(tenants, organisation):
        monkeypatch.undo()
        create_project(application, caller, "Docs")
        assert recount(application.tenants, organisation).bytes == -5_000
        return session_of(tenants, organisation)

    monkeypatch.setattr(type(application.tenants), "session", first_another)
    recount(application.tenants, caller.organisation_id)
    assert drift(application, caller) == Growth()
