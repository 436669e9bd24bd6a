"""A 404 names what was looked for, by kind and id, and says no more to strangers than to those who mistyped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pigi.ids import new_id
from tests.support.factories import make_organisation
from tests.support.http import BODY

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
ID = new_id()
PATHS = {
    "jobs/{id}": "There is no job {id}, or it is not yours.",
    "jobs/{id}/events": "There is no job {id}, or no events of it, or it is not yours.",
    "organisations/{id}": "There is no organisation {id}, or it is not yours.",
    "organisations/{id}/projects": "There is no organisation {id}, or no projects of it, or it is not yours.",
    "organisations/{own}/projects/{id}": "There is no project {id} of organisation {own}, or it is not yours.",
    "organisations/{own}/projects/{id}/agents/{id}": "There is no agent {id} of project {id} of organisation {own}, or "
    "it is not yours.",
    "organisations/{own}/projects/{id}/settings/{id}/revisions/3": "There is no revision 3 of settings {id} of project "
    "{id} of organisation {own}, or it is not yours.",
    "organisations/{own}/generations/{id}": "There is no generation {id} of organisation {own}, or it is not yours.",
    "organisations/{own}/imports/{id}": "There is no import {id} of organisation {own}, or it is not yours.",
    "receipts/{id}": "There is no receipt {id}, or it is not yours.",
    "jobs?organisation={id}": "There is no organisation {id}, or it is not yours.",
    "zebra": "There is nothing at this address, or it is not yours.",
}


@pytest.mark.parametrize("path", PATHS)
def test_what_was_looked_for_is_named(client: Client, headers: dict[str, str], own: str, path: str) -> None:
    answer = client.get(f"/api/v1/{path.format(id=ID, own=own)}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.json["detail"].startswith(PATHS[path].format(id=ID, own=own))


def test_what_is_somebody_else_s_reads_like_what_is_not_there(
    application: Application, client: Client, headers: dict[str, str]
) -> None:
    foreign = make_organisation(application.control, application.tenants)
    answers = [client.get(f"/api/v1/organisations/{one}", headers=headers) for one in (foreign, ID)]
    shapes = {
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", answer.get_data(as_text=True).replace(answer.json["instance"], "R"))
        for answer in answers
    }
    assert len(shapes) == 1


def test_what_a_body_names_is_what_is_missing(client: Client, headers: dict[str, str], own: str, asking: str) -> None:
    made = client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json
    archive = f"/api/v1/organisations/{own}/projects/{ID}/archive"
    assert made["id"]
    assert client.post(archive, json={}, headers=headers).json["detail"].startswith(f"There is no project {ID}, or it")
    assert (
        client.post(asking.replace(own, ID), json=BODY, headers=headers)
        .json["detail"]
        .startswith(f"There is no organisation {ID}")
    )


def test_the_token_of_a_link_is_not_repeated(client: Client) -> None:
    answer = client.get("/reset-password/zebra-marker", headers={"Accept": "text/html"})
    assert "zebra-marker</p>" not in answer.get_data(as_text=True)
