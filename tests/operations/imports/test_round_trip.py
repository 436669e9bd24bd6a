"""A configuration export imports into an equal organisation (P31)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pigi.domain.access import Caller, Role
from pigi.domain.preconditions import Tags
from pigi.domain.resources.secrets import digest_of
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    create_project,
    create_resource,
    replace_resource,
    signer,
)
from pigi.operations.imports import acceptance
from pigi.store.tenant import ResourceRevision
from tests.domain.resources.values import with_checksum
from tests.support.chance import many
from tests.support.contents import DOCUMENT, GITHUB_TOKEN, any_content, lines, proses
from tests.support.exports import do as do_export
from tests.support.exports import exported, file_of, request
from tests.support.factories import make_organisation
from tests.support.imports import accept, document_of, project_of, read, resource_of, revision_of

EXAMPLES = many(12)
ANY = Tags(anything=True)

resources = st.tuples(st.lists(any_content, min_size=1, max_size=3), st.booleans(), st.booleans())
projects = st.lists(st.tuples(lines, st.just("") | proses, st.lists(resources, max_size=4), st.booleans()), max_size=3)


def furnish(application, caller, wanted):
    """An organisation with these projects: of each the resources whose contents may be saved."""
    for name, description, made, archived in wanted:
        try:
            project = create_project(application, caller, name[:80], description).id
        except Refused:
            continue
        for contents, generated, put_away in made:
            _resource(application, caller, project, contents, generated, put_away)
        if archived:
            archive_project(application, caller, project)


def _resource(application, caller, project, contents, generated, put_away):
    kind = contents[0][0]
    try:
        place = ResourceAddress(project, kind, create_resource(application, caller, project, *contents[0]).id)
        for other, content in contents[1:]:
            if other == kind:
                replace_resource(application, caller, place, ANY, content)
    except Refused:
        return
    if generated:
        with application.tenants.session(caller.organisation_id) as session:
            own = ResourceRevision.resource_id == place.resource_id
            session.execute(ResourceRevision.__table__.update().where(own).values(origin="generated"))
    if put_away:
        archive_resource(application, caller, place)


def bare(document: Any) -> Any:
    """What must be equal: all but ids, of which there are none, times of the export and of projects, and pseudonyms."""
    projects = [{**project, "created_at": None} for project in document["projects"]]
    for project in projects:
        for resource in project["resources"]:
            for revision in resource["revisions"]:
                revision["author"] = None
    return projects


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
@given(wanted=projects, batch=st.integers(1, 6))
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_a_second_export_equals_the_first(application, wanted, batch):
    first, second = (
        Caller(make_organisation(application.control, application.tenants), Role.OWNER, new_id()) for _ in range(2)
    )
    furnish(application, first, wanted)
    job = request(application, first)
    do_export(application, job.id)
    found = read(application, second, file_of(application, job))
    assert (found.state, found.report["refused"]["count"], found.report["conflicts"]["count"]) == ("ready", 0, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, "BATCH_ENTRIES", batch)
        assert accept(application, second, found.id).state == "succeeded"
    original, copy = exported(application, first), exported(application, second)
    assert bare(copy) == bare(original)
    assert copy["organisation"]["name"] == original["organisation"]["name"] == "Test organisation"


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_examples_come_along_and_no_word_excuses_a_secret_that_verifies(application, organisation):
    caller = Caller(organisation, Role.OWNER, new_id())
    project = create_project(application, caller, "Shop").id
    content = {**DOCUMENT, "body": GITHUB_TOKEN}
    create_resource(application, caller, project, "document", content, {digest_of(GITHUB_TOKEN)})
    do_export(application, request(application, caller).id)
    [[revision]] = [one["revisions"] for one in exported(application, caller)["projects"][0]["resources"]]
    assert revision["examples"] == [digest_of(GITHUB_TOKEN)]
    checked = with_checksum("ghp_", "a1B2c3D4e5" * 3)
    certain = revision_of(1, {**DOCUMENT, "body": checked}, examples=[digest_of(checked)])
    # A report is kept longer than its file: what it says of a value lets nobody guess it.
    named = signer(application, organisation)(digest_of(GITHUB_TOKEN))
    unsaid, said = {**revision, "examples": []}, {**revision, "examples": [named]}
    for told, flaws in ((revision, []), (unsaid, [named]), (said, []), (certain, [None])):
        file = document_of(project_of("New", {**resource_of("document"), "revisions": [told]}))
        report = read(application, caller, file).report
        assert report["created"]["resources"] == (not flaws)
        found = [flaw for refused in report["refused"]["shown"] for flaw in refused["errors"]]
        assert [flaw.get("example") for flaw in found] == flaws
        assert digest_of(GITHUB_TOKEN) not in str(found)
