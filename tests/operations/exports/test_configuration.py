"""The configuration export: what is in it, and that whoever takes over writes what one worker would have written."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.access import Caller, OrganisationState, Role
from pigi.domain.configuration_format import SCHEMA
from pigi.domain.exports import MOST_PREPARING
from pigi.domain.job_state import JobState
from pigi.domain.preconditions import Tags
from pigi.errors import Refused
from pigi.jobs.execution.cleanup import clean_up_ended
from pigi.jobs.kinds import EXPORT_CONFIGURATION
from pigi.operations.access import ORGANISATION
from pigi.operations.configuration import ResourceAddress, archive_project, archive_resource, replace_resource
from pigi.operations.deletion import delete_organisation
from pigi.operations.exports import EXPORT, Owner, open_file, pages, parts
from pigi.operations.exports.exports import folder_of
from pigi.operations.jobs import cancel_job, retry_job
from pigi.store.objects import FilesAwayError
from pigi.store.tenant import ResourceRevision
from tests.support import exports
from tests.support.furnished import COLLECTIONS, furnish, renamed
from tests.support.jobs import change, lapse, make_worker_context, raise_epoch, view

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


def lengthen(application, home, revisions=600):
    """Give one resource a long history, by several authors."""
    resource = home.resources["documents"]
    with application.tenants.session(home.organisation) as tenant:
        rows = [
            {
                "resource_id": resource,
                "number": number,
                "content": tenant.sealer.seal(
                    json.dumps({"title": "How", "body": "x" * 90}), REVISION.name, "content", f"{resource}/{number}"
                ),
                "author": f"account:{number % 7}",
                "origin": "written",
                "created_at": now(),
            }
            for number in range(3, revisions + 1)
        ]
        tenant.connection().execute(insert(REVISION), rows)
        tenant.connection().exec_driver_sql(f"UPDATE resource SET revision = {revisions} WHERE id = '{resource}'")


def undated(data):
    document = json.loads(data)
    check(document)
    del document["exported_at"]
    return document


def test_whoever_takes_over_goes_on_where_the_last_part_ended(application, home, monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 9_000)
    monkeypatch.setattr(pages, "MOST", 20)
    lengthen(application, home)
    home.new_resource("documents", home.new_project())
    whole = exports.request(application, home.caller)
    exports.do(application, whole.id)
    job = exports.request(application, home.caller)
    for attempt in count(1):
        left = iter(range(8 * attempt))
        stopping = make_worker_context(application, draining=lambda left=left: next(left, None) is None)
        exports.do(application, job.id, stopping)
        # What comes after the moment of the export is not in it, whenever it is written.
        home.new_resource("agents")
        if view(application.control, job.id).state == JobState.SUCCEEDED:
            break
        assert exports.export_of(application, job).state == "preparing"
    export = exports.export_of(application, job)
    assert attempt >= 3
    assert len({part.attempt for part in export.parts}) >= 3
    assert undated(exports.file_of(application, job)) == undated(exports.file_of(application, whole))


def test_a_worker_given_up_for_dead_changes_nothing_of_the_file(application, home, monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    job = exports.request(application, home.caller)
    put, files = type(application.files).put, []

    def lose(objects, name, data):
        """The lease goes while the first part is on its way, and another worker does it all."""
        put(objects, name, data)
        if not files:
            files.append(name)
            lapse(application.control, job.id)
            change(application.control, job.id, state="retrying", published_at=None)
            exports.do(application, job.id)
            files.append(exports.file_of(application, job))

    monkeypatch.setattr(type(application.files), "put", lose)
    exports.do(application, job.id)
    assert exports.file_of(application, job) == files[1]
    assert application.files.size(files[0]) is None
    check(json.loads(files[1]))


def test_what_comes_to_nothing_leaves_no_file_and_can_be_retried(application, home, monkeypatch):
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    monkeypatch.setattr(pages, "MOST", 8)
    lengthen(application, home, 60)
    job = exports.request(application, home.caller)
    folder = folder_of(Owner(home.organisation), job.subject_id)
    left = iter(range(3))
    exports.do(application, job.id, make_worker_context(application, draining=lambda: next(left, None) is None))
    assert list(application.files.find(folder))
    with pytest.raises(Refused, match="export_not_ready"):
        open_file(application, Owner(home.organisation), job.subject_id)
    change(application.control, job.id, failures=EXPORT_CONFIGURATION.attempts)
    with monkeypatch.context() as full:
        full.setattr(type(application.files), "put", lambda *_facts: (_ for _ in ()).throw(FilesAwayError))
        exports.do(application, job.id)
    assert view(application.control, job.id).reason == "files_away"
    assert (exports.export_of(application, job).state, list(application.files.find(folder))) == ("failed", [])
    retry_job(application, job.id, home.organisation, None)
    exports.do(application, job.id)
    check(json.loads(exports.file_of(application, job)))
    cancelled = exports.request(application, home.caller)
    cancel_job(application, cancelled.id, home.organisation)
    assert exports.export_of(application, cancelled).state == "failed"


def test_a_file_goes_after_its_period(application, home):
    job = exports.request(application, home.caller)
    exports.do(application, job.id)
    export = exports.export_of(application, job)
    assert export.expires_at - now() > timedelta(days=7, seconds=-60)
    with application.control.autocommit() as connection:
        connection.execute(update(EXPORT).where(EXPORT.c.id == export.id).values(expires_at=now()))
    with pytest.raises(Refused, match="export_expired"):
        open_file(application, export.owner, export.id)
    change(application.control, job.id, cleanup_at=timedelta(seconds=-1))
    clean_up_ended(EXPORT_CONFIGURATION, application, application.control, job.id)
    assert exports.export_of(application, job).state == "expired"
    assert list(application.files.find(folder_of(export.owner, export.id))) == []


def test_an_organisation_has_so_many_preparing_at_once(application, home):
    for _ in range(MOST_PREPARING):
        exports.request(application, home.caller)
    with pytest.raises(Refused, match="too_many_in_flight"):
        exports.request(application, home.caller)


def test_owners_export_while_they_can_restore_and_not_after_the_seal(application, home, monkeypatch):
    delete_organisation(application, home.caller)
    job = exports.request(application, home.caller)
    exports.do(application, job.id)
    check(json.loads(exports.file_of(application, job)))
    begun = exports.request(application, home.caller)
    # Sealed while a worker writes: nothing of it counts.
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    put = type(application.files).put

    def seal(objects, name, data):
        put(objects, name, data)
        raise_epoch(application.control, home.organisation)

    monkeypatch.setattr(type(application.files), "put", seal)
    exports.do(application, begun.id)
    assert view(application.control, begun.id).reason == "fenced"
    assert list(application.files.find(folder_of(Owner(home.organisation), begun.subject_id))) == []
    with application.control.autocommit() as connection:
        purging = update(ORGANISATION).where(ORGANISATION.c.id == home.organisation)
        connection.execute(purging.values(state=OrganisationState.PURGING.value))
        rows = connection.execute(select(EXPORT.c.state).where(EXPORT.c.id == begun.subject_id)).scalar()
    assert rows == "failed"
    with pytest.raises(Refused, match="organisation_closed"):
        exports.request(application, home.caller)
    with pytest.raises(Refused, match="not_found"):
        open_file(application, Owner(home.organisation), job.subject_id)
