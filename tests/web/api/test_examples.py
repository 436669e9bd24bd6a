"""Saying over HTTP that a value is an example: with what the refusal gave, in one header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.resources.secrets import digest_of
from tests.support.contents import DOCUMENT, GITHUB_TOKEN

if TYPE_CHECKING:
    from tests.support.http import Client

LEAKING = {**DOCUMENT, "body": f"It looks like\n{GITHUB_TOKEN}."}


def test_a_refusal_says_how_to_call_the_value_an_example(client: Client, headers: dict[str, str], own: str) -> None:
    project = client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json
    path = project["links"]["documents"]
    refused = client.post(path, json=LEAKING, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (422, "secret_found")
    (flaw,) = refused.json["errors"]
    assert (flaw["pointer"], flaw["line"], flaw["kind"]) == ("/body", 2, "GitHub token")
    assert GITHUB_TOKEN not in refused.text

    kept = client.post(path, json=LEAKING, headers={**headers, "Pigi-Examples": flaw["example"]})
    assert kept.status_code == 201
    assert [(found["rule"], found["line"]) for found in kept.json["findings"]] == [("declared-example", 2)]
    own_path = kept.json["links"]["self"]
    changed = client.put(own_path, json={**LEAKING, "title": "B"}, headers={**headers, "If-Match": "*"})
    assert changed.status_code == 200
    revisions = client.get(f"{own_path}/revisions", headers=headers).json["revisions"]
    assert [[one["example"] for one in each["examples"]] for each in revisions] == [[digest_of(GITHUB_TOKEN)]] * 2
    assert client.get(f"{own_path}/revisions/1", headers=headers).json["examples"] == revisions[1]["examples"]


def test_a_header_that_is_no_such_list_is_refused(client: Client, headers: dict[str, str], own: str) -> None:
    project = client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json
    answer = client.post(project["links"]["documents"], json=DOCUMENT, headers={**headers, "Pigi-Examples": "all"})
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "Pigi-Examples")
