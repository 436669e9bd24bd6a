"""What a request may look like, and what is said of one that may not: always a problem document, never its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from pigi.errors import Misconfigured
from tests.support.http import BODY
from web.http.dispatch import mount
from web.http.errors import STATUS
from web.http.requests import MOST_BYTES

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
MARK = "zebra-marker"
GOOD = '"resource": "agent", "name": "n", "purpose": "p"'


def test_the_longest_texts_count_characters_not_bytes(client: Client, headers: dict[str, str], asking: str) -> None:
    body = {"resource": "mcp-server", "name": f"  {'🐘' * 120}\n", "purpose": "é" * 2000}

    assert client.post(asking, json=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"resource": "robot"}, "/resource"),
        ({"resource": 1}, "/resource"),
        ({"name": "x" * 121}, "/name"),
        ({"name": " \u2003 "}, "/name"),
        ({"name": f"{MARK}\u0000"}, "/name"),
        ({"name": f"{MARK}\u2028x"}, "/name"),
        ({"name": True}, "/name"),
        ({"purpose": "y" * 2001}, "/purpose"),
        ({"purpose": "\n\u00a0 "}, "/purpose"),
        ({"purpose": f"{MARK}\u0000"}, "/purpose"),
    ],
)
def test_flaws_are_pointed_at_without_their_text(
    client: Client, headers: dict[str, str], asking: str, change: dict[str, Any], pointer: str
) -> None:
    answer = client.post(asking, json={**BODY, **change}, headers=headers)

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]
    assert answer.json["instance"] == answer.headers["X-Request-ID"]
    assert MARK not in answer.get_data(as_text=True)


def test_an_unknown_field_is_named_with_the_one_that_is_meant(
    client: Client, headers: dict[str, str], asking: str
) -> None:
    answer = client.post(asking, json={**BODY, "porpose": "p"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {
            "pointer": "/porpose",
            "message": "unknown field; is purpose meant? Known are: resource, name, purpose, project.",
        }
    ]
    answer = client.post(asking, data=b"[]", content_type="application/json", headers=headers)
    assert answer.json["errors"] == [{"pointer": "", "message": "must be an object"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000, 400),
        (b'{"name": NaN}', 400),
        (b'{"name": ' + b"9" * 5000 + b"}", 400),
        (f'{{{GOOD}, "name": "twice"}}'.encode(), 400),
        (rb'{"resource": "agent", "name": "\ud800", "purpose": "p"}', 422),
        (rb'{"resource": "agent", "name": "n", "purpose": "p", "\udfff": 1}', 422),
        (b"null", 422),
        (b"[]", 422),
    ],
)
def test_rubbish_is_refused_cleanly(
    client: Client, headers: dict[str, str], asking: str, body: bytes, status: int
) -> None:
    answer = client.post(asking, data=body, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_size_and_media_type_are_checked(client: Client, headers: dict[str, str], asking: str) -> None:
    large = client.post(asking, data=b" " * (MOST_BYTES + 1), content_type="application/json", headers=headers)
    form = client.post(asking, data={"name": "n"}, headers=headers)
    full = client.post(
        asking,
        data=f"{{{GOOD}}}".encode().ljust(MOST_BYTES),
        content_type="application/json; charset=utf-8",
        headers=headers,
    )

    assert [answer.status_code for answer in (large, form, full)] == [413, 415, 202]


def test_other_methods_and_paths_are_problems_too(client: Client, headers: dict[str, str]) -> None:
    wrong = client.delete("/api/v1/jobs", headers=headers)
    lost = client.get(f"/api/v1/{MARK}", headers=headers)

    assert (wrong.status_code, wrong.json["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]
    assert (lost.status_code, lost.json["code"]) == (404, "not_found")
    assert MARK not in lost.get_data(as_text=True)


def test_a_database_that_is_away_is_503(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> None:
        raise OperationalError("SELECT", {}, Exception(MARK))

    monkeypatch.setattr("web.http.auth.authenticate", away)
    answer = client.get("/api/v1/jobs", headers=headers)

    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_what_breaks_says_nothing_but_the_request_s_id(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_others: object) -> None:
        raise ValueError(MARK)

    monkeypatch.setattr("web.api.jobs.list_jobs", broken)
    answer = client.get("/api/v1/jobs", headers={**headers, "X-Request-ID": "my-request-1"})

    assert (answer.status_code, answer.json["code"], answer.json["instance"]) == (500, "internal", "my-request-1")
    assert MARK not in answer.get_data(as_text=True)


def test_every_code_is_explained(client: Client) -> None:
    for code in STATUS:
        told = client.get(f"/problems/{code}", headers={"Accept": "application/json"})
        page = client.get(f"/problems/{code}", headers={"Accept": "text/html"})
        assert told.json["advice"]
        assert told.json["title"] in page.get_data(as_text=True).replace("&#39;", "'")
    assert client.get(f"/problems/{MARK}").status_code == 404


def test_a_path_that_declares_nobody_stops_the_application(app: Flask) -> None:
    app._got_first_request = False
    app.add_url_rule("/stray", "stray", lambda: "stray")

    with pytest.raises(Misconfigured, match="/stray"):
        mount(app, app.extensions["pigi"], ())
