"""Values that look like secrets and are kept, because somebody said that they are examples."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from pigi.domain.access import Caller, Person, Role
from pigi.domain.preconditions import Tags
from pigi.domain.resources.secrets import digest_of
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.accounts import Change, change_account, register
from pigi.operations.api_keys import issue_key
from pigi.operations.configuration import (
    ResourceAddress,
    create_project,
    create_resource,
    list_revisions,
    read_resource,
    replace_resource,
    signer,
)
from pigi.operations.organisations import OrganisationChange, change_organisation, create_organisation
from pigi.store.tenant import ResourceRevision
from tests.support.contents import DOCUMENT, GITHUB_TOKEN

ANY = Tags(anything=True)
TOLD = frozenset({digest_of(GITHUB_TOKEN)})
LEAKING = {**DOCUMENT, "body": f"# Shape\n\nIt looks like {GITHUB_TOKEN}."}


@pytest.fixture
def caller(organisation):
    return Caller(organisation, Role.OWNER, new_id())


def test_an_example_is_kept_recorded_and_needs_no_second_word(application, caller):
    project = create_project(application, caller, "Shop").id
    with pytest.raises(Refused, match="secret_found"):
        create_resource(application, caller, project, "document", LEAKING)
    made = create_resource(application, caller, project, "document", LEAKING, TOLD)
    place = ResourceAddress(project, "document", made.id)
    assert [(found.rule, found.line, found.kind) for found in made.findings] == [
        ("declared-example", 3, "GitHub token")
    ]
    assert read_resource(application, caller, place).findings == made.findings

    replace_resource(application, caller, place, ANY, {**LEAKING, "title": "Still there"})
    replace_resource(application, caller, place, ANY, DOCUMENT)
    history = list_revisions(application, caller, place)
    assert [[(one.pointer, one.line, one.kind) for one in each.examples] for each in history] == [
        [],
        [("/body", 3, "GitHub token")],
        [("/body", 3, "GitHub token")],
    ]
    with pytest.raises(Refused, match="secret_found"):
        replace_resource(application, caller, place, ANY, LEAKING)


def test_what_was_called_an_example_is_sealed(application, caller):
    project = create_project(application, caller, "Shop").id
    create_resource(application, caller, project, "document", LEAKING, TOLD)
    with application.tenants.read(caller.organisation_id) as tenant:
        (row,) = tenant.connection().execute(select(ResourceRevision.__table__)).all()
    (digest,) = TOLD
    assert digest.encode() not in row.examples
    assert b"GitHub" not in row.examples


def test_what_names_a_value_to_the_refused_is_of_one_organisation_and_no_plain_hash(application, caller):
    project = create_project(application, caller, "Shop").id
    with pytest.raises(Refused) as refused:
        create_resource(application, caller, project, "document", LEAKING)
    [flaw] = refused.value.details["errors"]
    assert flaw["example"] == signer(application, caller.organisation_id)(digest_of(GITHUB_TOKEN))
    assert flaw["example"] not in {*TOLD, signer(application, new_id())(digest_of(GITHUB_TOKEN))}
    assert create_resource(application, caller, project, "document", LEAKING, {flaw["example"]}).revision == 1
    with pytest.raises(Refused, match="secret_found"):
        create_resource(application, caller, project, "document", {**LEAKING, "title": "New"}, {"A" * 22})


def test_no_name_that_people_type_holds_a_secret(application, caller):
    person = Person(new_id(), new_id())
    for pointer, act in (
        ("/name", partial(create_project, application, caller, GITHUB_TOKEN)),
        ("/description", partial(create_project, application, caller, "Shop", GITHUB_TOKEN)),
        ("/name", partial(create_organisation, application, GITHUB_TOKEN)),
        ("/name", partial(change_organisation, application, caller, OrganisationChange(GITHUB_TOKEN))),
        ("/label", partial(issue_key, application, caller.organisation_id, GITHUB_TOKEN)),
        ("/name", partial(change_account, application, person, Change(GITHUB_TOKEN), "192.0.2.1")),
        ("/name", partial(register, application, GITHUB_TOKEN, "kim@example.org", "a long enough one", "192.0.2.1")),
    ):
        with pytest.raises(Refused, match="secret_found") as refused:
            act()
        [flaw] = refused.value.details["errors"]
        assert (flaw["pointer"], flaw["kind"], GITHUB_TOKEN in str(flaw)) == (pointer, "GitHub token", False)
