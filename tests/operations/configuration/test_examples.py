"""Values that look like secrets and are kept, because somebody said that they are examples."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pigi.domain.access import Caller, Role
from pigi.domain.preconditions import Tags
from pigi.domain.resources.secrets import digest_of
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.configuration import (
    ResourceAddress,
    create_project,
    create_resource,
    list_revisions,
    read_resource,
    replace_resource,
)
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
