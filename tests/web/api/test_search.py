"""Searching names over HTTP and on its page; and what of it is written down: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.operations.configuration import create_resource
from tests.support.contents import AGENT
from tests.support.furnished import furnish
from tests.support.pages import BROWSER
from tests.support.people import make_account, make_member, sign_in

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client


def test_a_name_is_found_with_its_place_and_state(client: Client, headers: dict[str, str], own: str) -> None:
    projects = f"/api/v1/organisations/{own}/projects"
    made = client.post(projects, json={"name": "Café — Œuvres"}, headers=headers).json
    search = f"/api/v1/organisations/{own}/search"
    (found,) = client.get(f"{search}?q=cafe+oeuv", headers=headers).json["found"]

    assert (found["kind"], found["id"], found["name"], found["state"]) == (
        "project", made["id"], made["name"], "active",
    )  # fmt: skip
    assert found["project"] == {"id": made["id"], "name": made["name"], "state": "active"}
    assert client.get(found["links"]["self"], headers=headers).json["id"] == made["id"]
    assert client.get(f"{search}?q=tea", headers=headers).json == {"found": [], "more": False}
    for refused in ("", "?q=", "?q=a&limit=51", "?q=a&q=b", f"?q={'a' * 121}"):
        answer = client.get(f"{search}{refused}", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_pages_find_list_and_lead_where_they_say(app: Any, application: Application, client: Client) -> None:
    home = furnish(application, "Harbour <b>Works</b>")
    owner = sign_in(app, application, home.owner)

    def page(path: str) -> str:
        answer = owner.get(path, headers=BROWSER)
        assert answer.status_code == 200
        return str(answer.get_data(as_text=True))

    here = f"/o/{home.organisation}"
    agents = f"{here}/projects/{home.project}/agents"
    made = create_resource(application, home.caller, home.project, "agent", {**AGENT, "name": "harbour-pilot"})
    assert f"{agents}/{made.id}" in page(f"{here}/search?q=PILOT")
    assert "Nothing has this name" in page(f"{here}/search?q=%3Cb%3Ezzz")
    assert "<b>zzz" not in page(f"{here}/search?q=%3Cb%3Ezzz")
    # One organisation is searched at once; of several, or none, it is asked which.
    assert owner.get("/search?q=a+b", headers=BROWSER).headers["Location"] == f"{here}/search?q=a+b"
    newcomer = sign_in(app, application, make_account(application))
    assert newcomer.get("/search", headers=BROWSER).status_code == 200

    jobs = page(f"{here}/jobs?kind=rubbish&by=nobody&from=2026-02-31&sort=none&state=lost")
    assert f"{here}/jobs?state=succeeded" in jobs
    assert "Olga Owner" in page(f"{here}/jobs?by=account:{home.owner}&from=2020-01-01&to=2099-12-31&sort=oldest")
    assert "No jobs found" in page(f"{here}/jobs?to=2020-01-01")
    assert 'aria-sort="ascending"' in page(f"{agents}?sort=name")


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_members_come_in_pages_and_all_of_them_have_names(app: Any, application: Application) -> None:
    home = furnish(application)
    owner = sign_in(app, application, home.owner)
    many = [make_member(application, home.organisation, name=f"Member {number}") for number in range(50)]
    first = owner.get(f"/o/{home.organisation}/members", headers=BROWSER).get_data(as_text=True)
    last = max(many)
    assert f"/members/{last}" not in first
    before = first.split('rel="next"', maxsplit=1)[0].rsplit('href="', 1)[1].split('"')[0]
    second = owner.get(before.replace("&amp;", "&"), headers=BROWSER).get_data(as_text=True)
    assert f"/members/{last}" in second
    assert 'rel="prev"' in second
    assert f'value="account:{last}"' in owner.get(f"/o/{home.organisation}/jobs", headers=BROWSER).get_data(
        as_text=True
    )
