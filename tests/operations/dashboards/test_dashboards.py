"""What pages show at a glance: counts, names and latest changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.clock import now
from pigi.ids import first_id, new_id
from pigi.operations.configuration import ResourceAddress, archive_project, archive_resource
from pigi.operations.dashboards import count_jobs, generation_names, latest_resources
from pigi.operations.jobs import read_job
from tests.support.furnished import COLLECTIONS, furnish
from tests.support.jobs import change


@pytest.fixture
def furnished(application):
    return furnish(application)


def test_jobs_of_the_last_day_are_counted_by_state(application, furnished):
    failed = furnished.new_job()
    furnished.new_job()
    change(application.control, failed, state="failed")

    assert count_jobs(application) == {"succeeded": 2, "failed": 1, "queued": 1}


def test_ids_made_before_a_moment_are_less_than_its_first():
    before, after = first_id(now() - timedelta(seconds=1)), first_id(now() + timedelta(seconds=1))

    assert before < new_id() < after


def test_generations_are_named_as_long_as_they_are_there(application, furnished):
    job = read_job(application, furnished.new_job(), furnished.organisation)

    assert generation_names(application, furnished.caller, {job.subject_id, new_id()}) == {
        job.subject_id: ("agent", "reviewer")
    }
    assert generation_names(application, furnished.caller, ()) == {}


def test_the_latest_changes_are_of_what_is_in_use(application, furnished):
    first = [view.id for view in latest_resources(application, furnished.caller)]
    newest = furnished.new_resource("documents")
    collection, resource = next(iter(furnished.resources.items()))
    archive_resource(
        application, furnished.caller, ResourceAddress(furnished.project, COLLECTIONS[collection], resource)
    )
    then = [view.id for view in latest_resources(application, furnished.caller)]
    archive_project(application, furnished.caller, furnished.project)

    assert set(first) == set(furnished.resources.values())
    assert then[0] == newest
    assert set(then) == {newest, *first} - {resource}
    assert latest_resources(application, furnished.caller) == []
