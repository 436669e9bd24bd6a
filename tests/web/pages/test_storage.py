"""What people see of an organisation's storage, and deleting for good over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.application import Application
from pigi.operations.configuration import ResourceAddress, archive_resource
from pigi.operations.plans import stored_of
from tests.support.furnished import furnish
from tests.support.people import sign_in
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def test_a_limit_is_spoken_of_where_people_write_before_it_is_met(application, settings):
    home = furnish(application)
    used = stored_of(application, home.organisation).bytes
    for most, said in (
        (used * 2, None),
        (used * 5 // 4, "Once that is used up, nothing can be saved."),
        (used, "Nothing"),
    ):
        plans = f'{{"unmetered": {{"bytes": {most}}}}}'
        opened = Application.open(settings.model_copy(update={"plans": plans}))
        browser = sign_in(create_app(opened), opened, home.member)
        text = browser.get(f"/o/{home.organisation}/projects/{home.project}/edit").get_data(as_text=True)
        assert ("See what takes the space" in text) is (said is not None)
        assert said is None or said in text
        opened.dispose()


def test_an_owner_deletes_what_is_archived_for_good_and_others_are_not_offered_it(application):
    home = furnish(application)
    resource = home.new_resource("agents")
    path = f"/api/v1/organisations/{home.organisation}/projects/{home.project}/agents/{resource}"
    archive_resource(application, home.caller, ResourceAddress(home.project, "agent", resource))
    app = create_app(application)
    owner, member = sign_in(app, application, home.owner), sign_in(app, application, home.member)
    page = f"/o/{home.organisation}/storage"
    assert path in owner.get(page).get_data(as_text=True)
    assert "Delete for good" not in member.get(page).get_data(as_text=True)
    listed = member.get(f"/api/v1/organisations/{home.organisation}/storage").json
    assert listed["bytes"]["used"] == stored_of(application, home.organisation).bytes
    assert path in {one["links"]["self"] for one in listed["largest"]}
    assert member.delete(path).status_code == 403
    assert (owner.delete(path).status_code, owner.get(path).status_code) == (204, 404)
