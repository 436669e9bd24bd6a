"""Who sees which page, and where those are sent who do not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pigi.domain.access import Caller, Role, Scope
from pigi.operations.api_keys import make_key
from pigi.operations.credentials import ADDRESS, RESET
from tests.support.factories import make_organisation
from tests.support.furnished import furnish
from tests.support.pages import BROWSER, of_a_person, of_an_organisation
from tests.support.people import (
    PASSWORD,
    browser,
    join,
    make_account,
    make_account_token,
    make_member,
    make_registration,
    sign_in,
)

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.furnished import Furnished

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)

FOR_ADMINS = ("api-keys", "audit", "mails")


@pytest.fixture
def furnished(application: Application) -> Furnished:
    return furnish(application)


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(client, furnished):
    for path in (*of_a_person(), "/dashboard", *of_an_organisation(furnished)):
        answer = client.get(path, headers=BROWSER)
        assert answer.status_code == 303, path
        assert answer.headers["Location"] == f"/sign-in?next={quote(path, safe='')}"


def test_a_strangers_organisation_does_not_exist(app, application, furnished):
    stranger = sign_in(app, application, make_account(application))
    for path in of_an_organisation(furnished):
        answer = stranger.get(path, headers=BROWSER)
        shown = answer.get_data(as_text=True)
        assert (answer.status_code, f"/o/{furnished.organisation}" in shown) == (404, False), path
        # What they asked for is repeated to them, and nothing that is only known here.
        assert f"organisation {furnished.organisation}, or " in shown


def test_a_member_is_offered_no_page_that_is_for_admins(app, application, furnished):
    member = sign_in(app, application, furnished.member)
    home = f"/o/{furnished.organisation}"
    page = member.get(home).get_data(as_text=True)

    for name in FOR_ADMINS:
        assert member.get(f"{home}/{name}", headers=BROWSER).status_code == 403
        assert f'href="{home}/{name}"' not in page
    people = member.get(f"{home}/members").get_data(as_text=True)
    assert "Invite somebody" not in people
    assert "Remove" not in people


def test_an_admin_is_not_offered_to_change_an_owner(app, application, furnished):
    admin = sign_in(app, application, make_member(application, furnished.organisation, Role.ADMIN))
    page = admin.get(f"/o/{furnished.organisation}/members").get_data(as_text=True)

    assert f"/members/{furnished.member}" in page
    assert f"/members/{furnished.owner}" not in page
    assert '<option value="owner"' not in page


def test_an_api_key_opens_no_page(client, furnished, headers):
    assert client.get(f"/o/{furnished.organisation}", headers=headers).status_code == 303


def test_operators_have_a_page_that_nobody_else_finds(app, application, furnished):
    operator = sign_in(app, application, make_account(application, operator=True))
    owner = sign_in(app, application, furnished.owner)

    assert operator.get("/operate").status_code == 200
    assert "Harbour Works" in operator.get("/operate/organisations").get_data(as_text=True)
    assert operator.get("/dashboard").headers["Location"] == "/operate"
    assert operator.get(f"/o/{furnished.organisation}").status_code == 404
    assert owner.get("/operate").status_code == 404


def test_the_dashboard_is_the_only_organisation_or_a_choice(app, application, furnished):
    person = make_account(application)
    client = sign_in(app, application, person)
    none = client.get("/dashboard")
    join(application, furnished.organisation, person)
    one = client.get("/dashboard")
    join(application, make_organisation(application.control, application.tenants, "Second"), person)
    two = client.get("/dashboard")

    assert "You belong to no organisation yet" in none.get_data(as_text=True)
    assert (one.status_code, one.headers["Location"]) == (303, f"/o/{furnished.organisation}")
    assert all(name in two.get_data(as_text=True) for name in ("Harbour Works", "Second"))


def test_looking_at_a_mailed_link_uses_nothing_up(app, application, furnished):
    reset, address = make_account_token(application, RESET), make_account_token(application, ADDRESS)
    welcome, invitation = make_registration(application), furnished.invitation_token
    for page, token in (
        ("welcome", welcome), ("reset-password", reset), ("confirm-address", address), ("invitations", invitation),
    ):  # fmt: skip
        looks = [app.test_client().get(f"/{page}/{token}").status_code for _ in range(2)]
        assert looks == [200, 200], page

    def post(path: str, **body: str) -> int:
        return app.test_client().post(f"/api/v1/{path}", json=body).status_code

    assert post(f"registrations/{welcome}", password=PASSWORD) == 201
    assert post(f"password-resets/{reset}", password=PASSWORD) == 204
    assert post(f"email-changes/{address}", password=PASSWORD) == 204
    assert post(f"invitations/{invitation}/accept", name="New Person", password=PASSWORD) == 200


def test_an_invitation_says_what_to_do_to_whoever_opens_it(app, application, client, furnished):
    path = f"/invitations/{furnished.invitation_token}"
    other = sign_in(app, application, make_account(application))

    assert "Create account and join" in client.get(path).get_data(as_text=True)
    assert "signed in with another address" in other.get(path).get_data(as_text=True)
    over = client.get(f"/invitations/{'x' * 43}", headers=BROWSER)
    assert (over.status_code, over.content_type) == (404, "text/html; charset=utf-8")


def test_whoever_joins_as_an_owner_can_give_their_password_on_the_page(app, application, furnished):
    opened = sign_in(app, application, furnished.member).get(f"/invitations/{furnished.invitation_token}")
    assert 'id="confirm"' in opened.text


def test_whoever_lowers_a_role_is_asked_what_becomes_of_the_keys(app, application, furnished):
    admin = make_member(application, furnished.organisation, Role.ADMIN)
    caller = Caller(furnished.organisation, Role.ADMIN, admin, confirmed=True)
    make_key(application, caller, "nightly exports", [Scope.EXPORTS_WRITE])
    page = sign_in(app, application, furnished.owner).get(f"/o/{furnished.organisation}/members").text
    form = page[page.index(f'members/{admin}"') :]
    form = form[: form.index("</form>")]
    assert 'name="role"' in form
    assert 'name="api_keys"' in form
    assert "hand_over" in form
    assert "nightly exports" in form


def test_a_session_that_is_over_is_nobodys(app, client):
    answer = browser(app, "x" * 43).get("/account")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=%2Faccount")
    assert browser(app, "x" * 43).get("/").status_code == 200


def test_pages_are_not_stored(app, application, furnished):
    owner = sign_in(app, application, furnished.owner)
    for path in ("/", "/account", f"/o/{furnished.organisation}"):
        assert owner.get(path).headers["Cache-Control"] == "no-store"
