"""Exports over HTTP: asking, reading, fetching the file in ranges, and links that let in whoever has them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.domain.access import OrganisationState, Scope
from pigi.jobs.kinds import EXPORT_CONFIGURATION
from pigi.operations.access import ORGANISATION
from pigi.operations.api_keys import issue_key
from pigi.operations.exports import EXPORT
from tests.support import exports
from tests.support.contents import DOCUMENT
from tests.support.factories import make_organisation
from tests.support.http import bearer
from tests.support.stack import until
from web.api.exports import Export, ExportList

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client


@pytest.fixture
def headers(application: Application, own: str) -> dict[str, str]:
    """Those of a key that may export, and write what there is to export."""
    scopes = frozenset({Scope.EXPORTS_WRITE, Scope.CONFIGURATION_WRITE})
    return bearer(issue_key(application, own, "exports", scopes=scopes))


@pytest.fixture
def path(own: str) -> str:
    """Where the organisation's exports are."""
    return f"/api/v1/organisations/{own}/exports"


@pytest.fixture
def ready(application: Application, client: Client, headers: dict[str, str], path: str, own: str) -> Any:
    """An export whose file is ready, as it is read."""
    project = client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json
    client.post(project["links"]["documents"], json=DOCUMENT, headers=headers)
    asked = client.post(path, json={"scope": "configuration"}, headers=headers)
    exports.do(application, asked.json["id"])
    return client.get(
        client.get(asked.headers["Location"], headers=headers).json["links"]["result"], headers=headers
    ).json


def test_an_export_is_asked_for_followed_and_fetched(
    application: Application, client: Client, headers: dict[str, str], path: str
) -> None:
    asked = client.post(path, json={"scope": "configuration"}, headers={**headers, "Idempotency-Key": "once"})
    assert (asked.status_code, asked.json["kind"]) == (202, EXPORT_CONFIGURATION.name)
    again = client.post(path, json={"scope": "configuration"}, headers={**headers, "Idempotency-Key": "once"})
    assert (again.json["id"], again.headers["Idempotency-Replayed"]) == (asked.json["id"], "true")
    own = asked.json["links"]["result"]
    waiting = client.get(own, headers=headers).json
    Export.model_validate(waiting)
    assert (waiting["state"], waiting["bytes"], waiting["links"]["file"]) == ("preparing", None, None)
    early = client.get(f"{own}/file", headers=headers)
    assert (early.status_code, early.json["code"]) == (409, "export_not_ready")
    exports.do(application, asked.json["id"])
    ready = client.get(own, headers=headers).json
    assert (ready["state"], ready["links"]["self"], ready["links"]["job"]) == (
        "ready",
        own,
        asked.headers["Location"],
    )
    file = client.get(f"{own}/file", headers=headers)
    assert (file.status_code, len(file.data), hashlib.sha256(file.data).hexdigest()) == (
        200,
        ready["bytes"],
        ready["sha256"],
    )
    assert file.headers["ETag"] == f'"{ready["sha256"]}"'
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    listed = client.get(f"{path}?limit=1", headers=headers).json
    ExportList.model_validate(listed)
    assert ([one["id"] for one in listed["exports"]], listed["next"]) == ([ready["id"]], None)


def test_a_file_is_fetched_in_ranges_and_taken_up_again(client: Client, headers: dict[str, str], ready: Any) -> None:
    file, size, tag = f"{ready['links']['self']}/file", ready["bytes"], f'"{ready["sha256"]}"'
    whole = client.get(file, headers=headers).data

    def ask(asked: str, **others: str) -> tuple[int, str | None, bytes]:
        answer = client.get(file, headers={**headers, "Range": asked, **others})
        assert (answer.headers["ETag"], answer.headers["Accept-Ranges"]) == (tag, "bytes")
        return answer.status_code, answer.headers.get("Content-Range"), answer.data

    assert ask("bytes=10-19") == (206, f"bytes 10-19/{size}", whole[10:20])
    assert ask("bytes=10-", **{"If-Range": tag}) == (206, f"bytes 10-{size - 1}/{size}", whole[10:])
    assert ask("bytes=-7") == (206, f"bytes {size - 7}-{size - 1}/{size}", whole[-7:])
    assert ask(f"bytes=5-{size + 99}") == (206, f"bytes 5-{size - 1}/{size}", whole[5:])
    # Whoever takes a file up again tells by 206 that it goes on where it was asked to, also from its beginning.
    for all_of_it in ("bytes=0-", f"bytes=0-{size + 99}", f"bytes=-{size + 99}"):
        assert ask(all_of_it) == (206, f"bytes 0-{size - 1}/{size}", whole)
    for ignored in ("bytes=9-3", "bytes=-", "bytes=0-1,4-5", "lines=1-2"):
        assert ask(ignored) == (200, None, whole)
    assert ask("bytes=10-", **{"If-Range": '"another"'}) == (200, None, whole)
    for beyond in (f"bytes={size}-", "bytes=-0"):
        status, place, body = ask(beyond)
        assert (status, place, b"range_unsatisfiable" in body) == (416, f"bytes */{size}", True)
    assert client.get(file, headers={**headers, "If-None-Match": f'W/{tag}, "x"'}).status_code == 304
    # The standard defines ranges for GET alone.
    for asked in ({}, {"Range": "bytes=10-19"}, {"Range": f"bytes={size}-"}):
        head = client.head(file, headers={**headers, **asked})
        assert (head.status_code, head.headers["Content-Length"], head.data) == (200, str(size), b"")


def test_a_link_opens_this_file_for_an_hour_and_nothing_else(
    application: Application,
    app: Flask,
    client: Client,
    headers: dict[str, str],
    ready: Any,
    own: str,
    monkeypatch: Any,
) -> None:
    link, nobody = ready["links"]["file"], app.test_client()
    assert nobody.get(link).status_code == 200
    assert nobody.get(ready["links"]["self"] + "/file").status_code == 401
    bare, query = link.split("?")
    expires, signature = (part.split("=")[1] for part in query.split("&"))
    altered = f"{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    assert nobody.get(f"{bare}?expires={int(expires) + 1}&signature={signature}").status_code == 401
    assert nobody.get(f"{bare}?expires={expires}&signature={altered}").status_code == 401
    other = make_organisation(application.control, application.tenants)
    assert nobody.get(link.replace(own, other)).status_code == 401
    assert nobody.get(ready["links"]["self"] + f"?{query}").status_code == 401
    # Whoever may fetch it anyway is not kept out by an old link.
    assert client.get(f"{bare}?expires=1&signature={signature}", headers=headers).status_code == 200
    later = now() + timedelta(hours=1)
    monkeypatch.setattr("pigi.operations.exports.files.now", lambda: later)
    assert nobody.get(link).status_code == 401


@pytest.mark.parametrize("state", [OrganisationState.PURGING, None])
def test_a_link_ends_with_the_organisation_and_with_the_file(
    application: Application, app: Flask, headers: dict[str, str], ready: Any, own: str, state: Any
) -> None:
    with application.control.autocommit() as connection:
        if state is None:
            connection.execute(update(EXPORT).values(expires_at=now()))
        else:
            connection.execute(update(ORGANISATION).where(ORGANISATION.c.id == own).values(state=state.value))
    assert app.test_client().get(ready["links"]["file"]).status_code == 404


def test_a_file_whose_store_is_away_is_no_half_answer(
    application: Application, client: Client, headers: dict[str, str], ready: Any
) -> None:
    application.files.remove("organisations")
    answer = client.get(f"{ready['links']['self']}/file", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")


def test_whoever_may_export_follows_the_job_and_who_may_only_read_does_not(
    application: Application, app: Flask, client: Client, path: str, own: str
) -> None:
    only = bearer(issue_key(application, own, "exports alone", scopes=[Scope.EXPORTS_WRITE]))
    reads = bearer(issue_key(application, own, "reads", scopes=[Scope.CONFIGURATION_READ]))
    asked = client.post(path, json={"scope": "configuration"}, headers=only)
    job = asked.headers["Location"]
    assert client.get(job, headers=reads).status_code == 403
    assert client.get(path, headers=reads).status_code == 403
    exports.do(application, asked.json["id"])
    assert client.get(job, headers=only).json["state"] == "succeeded"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            app.test_client().post, path, json={"scope": "configuration"}, headers={**only, "Prefer": "wait=20"}
        )
        listed = until(lambda: client.get(path, headers=only).json["exports"][:-1], 10, "the second export")
        exports.do(application, listed[0]["links"]["job"].rpartition("/")[2])
        assert (waiting.result().status_code, waiting.result().json["state"]) == (200, "succeeded")
