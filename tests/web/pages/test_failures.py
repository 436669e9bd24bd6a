"""Pages in place of others: signed-in people keep their way about, and members learn of a deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import Caller, Role
from pigi.operations.deletion import delete_organisation
from tests.support.factories import make_organisation
from tests.support.pages import BROWSER
from tests.support.people import make_member, sign_in

if TYPE_CHECKING:
    from pigi.application import Application


@pytest.fixture
def own(application: Application) -> str:
    return make_organisation(application.control, application.tenants, "Harbour Works")


def test_what_is_not_there_or_not_allowed_keeps_the_navigation_for_members_and_shows_others_none(
    app, application, client, own
):
    member = sign_in(app, application, make_member(application, own))
    stranger = sign_in(app, application, make_member(application, make_organisation(
        application.control, application.tenants, "Other")))  # fmt: skip
    for path, status in ((f"/o/{own}/projects/{own}", 404), (f"/o/{own}/nothing", 404), (f"/o/{own}/api-keys", 403)):
        answer = member.get(path, headers=BROWSER)
        text = answer.get_data(as_text=True)
        assert (answer.status_code, f'href="/o/{own}/projects"' in text) == (status, True), path
        assert "Harbour Works" not in stranger.get(path, headers=BROWSER).get_data(as_text=True)
    assert "Account menu" in member.get("/nowhere", headers=BROWSER).get_data(as_text=True)
    assert "Account menu" not in client.get("/nowhere", headers=BROWSER).get_data(as_text=True)


def test_a_member_reads_that_the_organisation_is_being_deleted_until_when_and_who_can_undo_it(app, application, own):
    owner = make_member(application, own, Role.OWNER, name="Olga Owner")
    member = sign_in(app, application, make_member(application, own))
    delete_organisation(application, Caller(own, Role.OWNER, owner, confirmed=True))
    for path, status in ((f"/o/{own}", 404), (f"/o/{own}/jobs", 404), ("/dashboard", 200)):
        answer = member.get(path, headers=BROWSER)
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, path
        for word in ("being deleted", "Harbour Works", "Olga Owner", "restore it until"):
            assert word in text, (path, word)
    assert member.get(f"/api/v1/organisations/{own}").status_code == 404
    other = make_organisation(application.control, application.tenants, "Other")
    stranger = sign_in(app, application, make_member(application, other))
    assert "Olga Owner" not in stranger.get(f"/o/{own}", headers=BROWSER).get_data(as_text=True)


def test_the_account_page_shows_where_one_is_signed_in(app, application, own):
    member = make_member(application, own)
    others = [sign_in(app, application, member) for _ in range(2)]
    text = others[0].get("/account", headers=BROWSER).get_data(as_text=True)
    assert text.count("This browser") == 1
    assert "Sign out all others" in text
    assert others[0].delete("/api/v1/me/sessions").status_code == 204
    assert "Sign out all others" not in others[0].get("/account", headers=BROWSER).get_data(as_text=True)
