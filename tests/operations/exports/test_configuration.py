"""The configuration export: what is in it, and that whoever takes over writes what one worker would have written."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from pigi.domain.access import Caller, Role
from pigi.domain.configuration_format import SCHEMA
from pigi.domain.preconditions import Tags
from pigi.jobs.execution.isolation import Isolation  # noqa: F401
from pigi.operations.configuration import ResourceAddress, archive_project, archive_resource, replace_resource
from pigi.store.tenant import ResourceRevision
from tests.support import exports
from tests.support.furnished import COLLECTIONS, furnish, renamed

REVISION = ResourceRevision.__table__


@pytest.fixture
def home(application):
    return furnish(application)


def check(document):
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(document)


def test_all_that_was_configured_is_in_it_and_no_account(application, home):
    second = home.new_project()
    kept = home.new_resource("documents", second)
    archive_resource(application, home.caller, ResourceAddress(second, "document", kept))
    archive_project(application, home.caller, second)
    other = Caller(home.organisation, Role.MEMBER, home.member)
    agent = ResourceAddress(home.project, "agent", home.resources["agents"])
    replace_resource(application, other, agent, Tags(anything=True), renamed("agent"))
    key = Caller(home.organisation, key_id=home.key)
    replace_resource(application, key, agent, Tags(anything=True), content := renamed("agent"))
    document = exports.exported(application, home.caller)
    check(document)
    assert document["organisation"]["name"] == "Harbour Works"
    first, last = document["projects"]
    assert (first["name"], first["state"], last["state"]) == ("Shop", "active", "archived")
    assert [resource["state"] for resource in last["resources"]] == ["archived"]
    found = {resource["kind"]: resource for resource in first["resources"]}
    assert found.keys() == set(COLLECTIONS.values())
    revisions = found["agent"]["revisions"]
    assert [one["number"] for one in revisions] == [1, 2, 3, 4]
    assert [one["author"] for one in revisions] == ["person-1", "person-1", "person-2", "key-1"]
    assert (found["agent"]["name"], revisions[-1]["content"]) == (content["name"], content)
    text = json.dumps(document)
    assert not any(hidden in text for hidden in (home.owner, home.member, home.key, home.organisation))
