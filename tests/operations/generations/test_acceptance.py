"""Accepting and discarding drafts: a draft becomes configuration once, and leaves its generation."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.domain.preconditions import Tags, read_tags
from pigi.domain.resources.secrets import digest_of
from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    create_project,
    create_resource,
    list_resources,
    list_revisions,
    read_resource,
)
from pigi.operations.generations import (
    GENERATION,
    Edit,
    Target,
    accept_draft,
    clean_up,
    discard_draft,
    read_generation,
    request_generation,
)
from tests.support.contents import AGENT, DOCUMENT, GITHUB_TOKEN
from tests.support.factories import make_organisation
from tests.support.jobs import MARKER, caller_of, change, ended_job, generation_row

DRAFT = {**AGENT, "instructions": f"Reviews. {MARKER}"}


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


@pytest.fixture
def project(application, caller):
    return create_project(application, caller, "Shop").id


@pytest.fixture
def generation(application, control, caller):
    return drafted(application, control, caller)


def drafted(application, control, caller, draft=DRAFT, kind="agent"):
    """A generation whose job succeeded with this draft; its id."""
    job = request_generation(application, caller, kind, "reviewer", "Reviews changes.")
    with application.tenants.session(caller.organisation_id) as tenant:
        sealed = tenant.sealer.seal(json.dumps(draft), "generation", "draft", job.subject_id)
        values = {"draft": sealed, "findings": "[]", "instruction": "agent-1", "model": "scripted", "drafted_at": now()}
        tenant.connection().execute(update(GENERATION).where(GENERATION.c.id == job.subject_id).values(**values))
    change(control, job.id, state="succeeded")
    return job.subject_id


def code_of(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return refused.value.code


def resource_of(view):
    return ResourceAddress(view.project_id, view.kind, view.id)


def test_an_accepted_draft_is_a_resource_that_says_where_it_comes_from(application, caller, project, generation):
    made = accept_draft(application, caller, generation, Target(project))
    assert (made.content, made.name, made.revision, made.kind) == (DRAFT, "reviewer", 1, "agent")
    assert read_resource(application, caller, resource_of(made)) == made
    (revision,) = list_revisions(application, caller, resource_of(made))
    assert (revision.author, revision.origin) == (caller.name, "generated")
    assert (revision.instruction, revision.model) == ("agent-1", "scripted")


def test_it_leaves_its_generation(application, caller, project, generation):
    accept_draft(application, caller, generation, Target(project))
    row = generation_row(application, caller.organisation_id, generation)
    assert (row.draft, row.findings) == (None, None)
    assert read_generation(application, caller.organisation_id, generation).draft is None


def test_it_outlives_the_period_of_drafts(application, caller, project, generation):
    made = accept_draft(application, caller, generation, Target(project))
    long_ago = now() - keep(Retention.DRAFT)
    ended = ended_job(caller.organisation_id, generation, JobState.SUCCEEDED, long_ago)
    assert clean_up(application, ended) is None
    assert read_resource(application, caller, resource_of(made)) == made
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "not_found"


def test_it_can_be_accepted_once(application, caller, project, generation):
    accept_draft(application, caller, generation, Target(project))
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "draft_gone"
    assert len(list_resources(application, caller, project, "agent")) == 1


def test_of_two_that_accept_together_one_does(application, caller, generation, project):
    other = create_project(application, caller, "Other").id
    gate = Barrier(2)

    def accept(project_id):
        gate.wait()
        try:
            return accept_draft(application, caller, generation, Target(project_id)).revision
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(accept, (project, other)))
    assert sorted(map(str, answers)) == ["1", "draft_gone"]


def test_it_may_be_the_next_revision_of_a_resource(application, caller, project, generation):
    known = create_resource(application, caller, project, "agent", {**AGENT, "name": "older"})
    changed = accept_draft(application, caller, generation, Target(project, known.id, read_tags('"1"')))
    assert (changed.id, changed.revision, changed.name, changed.content) == (known.id, 2, "reviewer", DRAFT)
    origins = [each.origin for each in list_revisions(application, caller, resource_of(changed))]
    assert origins == ["generated", "written"]


def test_a_change_by_a_draft_must_know_the_revision_and_else_the_draft_stays(application, caller, project, generation):
    known = create_resource(application, caller, project, "agent", AGENT)
    for expected, code in ((None, "precondition_required"), (read_tags('"2"'), "precondition_failed")):
        assert code_of(accept_draft, application, caller, generation, Target(project, known.id, expected)) == code
    assert read_generation(application, caller.organisation_id, generation).draft == DRAFT
    assert read_resource(application, caller, resource_of(known)) == known


def test_a_draft_equal_to_the_resource_is_accepted_without_a_revision(application, control, caller, project):
    known = create_resource(application, caller, project, "agent", AGENT)
    generation = drafted(application, control, caller, AGENT)
    target = Target(project, known.id, Tags(anything=True))
    assert accept_draft(application, caller, generation, target) == known
    assert code_of(accept_draft, application, caller, generation, target) == "draft_gone"


def test_a_draft_whose_name_is_taken_stays(application, caller, project, generation):
    create_resource(application, caller, project, "agent", AGENT)
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "name_taken"
    assert read_generation(application, caller.organisation_id, generation).draft == DRAFT
    other = create_project(application, caller, "Other").id
    assert accept_draft(application, caller, generation, Target(other)).content == DRAFT


def test_a_draft_with_errors_is_refused_with_what_is_wrong(application, control, caller, project):
    bad = drafted(application, control, caller, {**DOCUMENT, "applies_to": ["../x"]}, "document")
    with pytest.raises(Refused) as refused:
        accept_draft(application, caller, bad, Target(project))
    assert refused.value.code == "draft_has_errors"
    assert [error["pointer"] for error in refused.value.details["errors"]] == ["/applies_to/0"]
    assert read_generation(application, caller.organisation_id, bad).draft is not None


def test_a_draft_with_a_secret_is_refused(application, control, caller, project):
    leaking = drafted(application, control, caller, {**AGENT, "instructions": GITHUB_TOKEN})
    assert code_of(accept_draft, application, caller, leaking, Target(project)) == "secret_found"


def test_a_draft_with_an_example_is_accepted_by_whoever_says_so(application, control, caller, project):
    content = {**AGENT, "instructions": f"Look for {GITHUB_TOKEN}"}
    leaking = drafted(application, control, caller, content)
    told = frozenset({digest_of(GITHUB_TOKEN)})
    made = accept_draft(application, caller, leaking, Target(project, examples=told))
    assert [found.rule for found in made.findings if found.kind] == ["declared-example"]


def test_a_draft_can_be_renamed_and_edited_and_its_revision_says_so(application, control, caller, project, generation):
    create_resource(application, caller, project, "agent", AGENT)
    with pytest.raises(Refused) as refused:
        accept_draft(application, caller, generation, Target(project))
    assert (refused.value.code, refused.value.details["errors"][0]["pointer"]) == ("name_taken", "/name")
    renamed = accept_draft(application, caller, generation, Target(project), Edit(name="second-reviewer"))
    assert renamed.content == {**DRAFT, "name": "second-reviewer"}
    edit = Edit({**AGENT, "name": "x", "instructions": "Looks twice."}, "third-reviewer")
    edited = accept_draft(application, caller, drafted(application, control, caller), Target(project), edit)
    assert (edited.name, edited.content["instructions"]) == ("third-reviewer", "Looks twice.")
    same = accept_draft(
        application,
        caller,
        drafted(application, control, caller, {**DRAFT, "name": "same"}),
        Target(project),
        Edit(name="same"),
    )
    for made, origin in ((renamed, "generated_edited"), (edited, "generated_edited"), (same, "generated")):
        (revision,) = list_revisions(application, caller, resource_of(made))
        assert (revision.origin, revision.instruction, revision.model) == (origin, "agent-1", "scripted")


def test_a_draft_with_errors_is_mended_by_editing(application, control, caller, project):
    bad = drafted(application, control, caller, {**DOCUMENT, "applies_to": ["../x"]}, "document")
    made = accept_draft(application, caller, bad, Target(project), Edit({**DOCUMENT, "applies_to": ["x"]}))
    assert made.content["applies_to"] == ["x"]


@pytest.mark.parametrize(
    ("edit", "code", "pointer"),
    [
        (Edit({**AGENT, "instructions": GITHUB_TOKEN}), "secret_found", "/content/instructions"),
        (Edit({**AGENT, "tools": "Read"}), "invalid", "/content/tools"),
        (Edit(AGENT, " "), "invalid", "/name"),
        (Edit(name=" "), "invalid", "/name"),
        (Edit([]), "invalid", "/content"),
    ],
)
@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_an_edit_goes_through_the_same_door(application, caller, project, generation, edit, code, pointer):
    with pytest.raises(Refused) as refused:
        accept_draft(application, caller, generation, Target(project), edit)
    assert (refused.value.code, refused.value.details["errors"][0]["pointer"]) == (code, pointer)
    assert read_generation(application, caller.organisation_id, generation).draft == DRAFT


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_a_name_that_could_not_be_accepted_is_refused_before_the_model_is_paid(application, control, caller, project):
    def ask(kind, name, place=None):
        return request_generation(application, caller, kind, name, "Reviews.", project_id=place)

    create_resource(application, caller, project, "agent", AGENT)
    assert code_of(ask, "mcp-server", "Workspace") == "invalid"
    assert code_of(ask, "agent", "Reviewer", project) == "name_taken"
    assert code_of(ask, "agent", "other", new_id()) == "not_found"
    archive_project(application, caller, project)
    assert code_of(ask, "agent", "other", project) == "archived"
    with control.autocommit() as connection:
        assert connection.execute(select(func.count()).select_from(JOB)).scalar_one() == 0
    assert ask("agent", "Reviewer").state == "queued"


def test_a_draft_of_another_schema_is_refused_without_its_words(application, control, caller, project):
    old = drafted(application, control, caller, {**AGENT, "surplus": MARKER})
    with pytest.raises(Refused) as refused:
        accept_draft(application, caller, old, Target(project))
    assert refused.value.code == "draft_has_errors"
    assert [error["pointer"] for error in refused.value.details["errors"]] == ["/surplus"]
    assert MARKER not in str(refused.value.details)


def test_nothing_goes_into_an_archived_project(application, caller, project, generation):
    archive_project(application, caller, project)
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "archived"


@pytest.mark.parametrize("state", ["queued", "running", "retrying", "failed", "cancelled"])
def test_a_draft_whose_job_has_not_succeeded_is_not_ready(application, control, caller, project, generation, state):
    job_id = read_generation(application, caller.organisation_id, generation).job_id
    change(control, job_id, state=state)
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "draft_not_ready"
    assert code_of(discard_draft, application, caller, generation) == "draft_not_ready"


def test_a_discarded_draft_is_gone_and_discarding_may_be_repeated(application, caller, project, generation):
    discard_draft(application, caller, generation)
    discard_draft(application, caller, generation)
    assert generation_row(application, caller.organisation_id, generation).draft is None
    assert code_of(accept_draft, application, caller, generation, Target(project)) == "draft_gone"


def test_discarding_after_accepting_changes_nothing(application, caller, project, generation):
    made = accept_draft(application, caller, generation, Target(project))
    discard_draft(application, caller, generation)
    assert read_resource(application, caller, resource_of(made)) == made


def test_what_is_not_there_or_another_organisations_is_not_found(
    application, control, tenants, caller, project, generation
):
    document = create_resource(application, caller, project, "document", DOCUMENT)
    anything = Tags(anything=True)
    for target in (
        Target(new_id()),
        Target("x"),
        Target(project, new_id(), anything),
        Target(project, document.id, anything),
        Target(new_id(), document.id, anything),
    ):
        assert code_of(accept_draft, application, caller, generation, target) == "not_found"
    assert read_generation(application, caller.organisation_id, generation).draft == DRAFT
    stranger = caller_of(make_organisation(control, tenants))
    for absent in (new_id(), "x"):
        assert code_of(accept_draft, application, caller, absent, Target(project)) == "not_found"
    assert code_of(accept_draft, application, stranger, generation, Target(project)) == "not_found"
    assert code_of(discard_draft, application, stranger, generation) == "not_found"
