"""Log lines: enough to find a request again, and nothing of what was in it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from pigi.ids import new_id
from tests.support.http import BODY
from web import logs
from web.call import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http import Client


MARK = "zebra-marker"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged; flush first."""
    stream, before = io.StringIO(), logs._LOG
    logs.use(logs.Log(stream))
    yield stream
    logs.use(before)


def lines(written: io.StringIO) -> list[Any]:
    """The lines so far."""
    logs._LOG.flush()
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_names_the_request_and_not_its_content(
    client: Client,
    headers: dict[str, str],
    asking: str,
    own: str,
    written: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marked = {**headers, "Idempotency-Key": MARK, "User-Agent": MARK, "Prefer": MARK, "Cookie": MARK}
    body = {"resource": "agent", "name": MARK, "purpose": MARK}
    job = client.post(asking, json=body, headers=marked).json
    client.post(asking, json={**body, MARK: MARK}, headers=headers)
    client.get(f"/api/v1/jobs?kind={MARK}&state={MARK}", headers=headers)
    client.get(f"/{MARK}/{MARK}?{MARK}")
    client.open(f"/{MARK}", method=MARK)
    client.get(job["links"]["result"], headers={"Authorization": f"Bearer pigi_{MARK}"})
    monkeypatch.setattr("web.jobs.list_jobs", _break)
    client.get("/api/v1/jobs", headers=headers)

    found = lines(written)
    assert MARK not in written.getvalue()
    assert "127.0.0.1" not in written.getvalue()
    assert found[0] | {"ms": 0, "timestamp": "", "request_id": ""} == {
        "timestamp": "",
        "event": "request",
        "level": "info",
        "request_id": "",
        "method": "POST",
        "route": "/api/v1/organisations/<organisation>/generations",
        "status": 202,
        "ms": 0,
        "organisation_id": own,
        "job_id": job["id"],
    }
    assert [line["at"] for line in found if line["event"] == "request_failed"]


def _break(*_arguments: object, **_others: object) -> None:
    raise ValueError(MARK)


def test_an_unwritable_log_breaks_no_request(client: Client, headers: dict[str, str], asking: str) -> None:
    before = logs._LOG
    closed = io.StringIO()
    closed.close()
    logs.use(logs.Log(closed))
    try:
        assert client.post(asking, json=BODY, headers=headers).status_code == 202
        logs._LOG.flush()
        assert client.get("/healthz").status_code == 200
    finally:
        logs.use(before)


def test_too_many_lines_are_dropped_and_counted() -> None:
    stream = io.StringIO()
    log = logs.Log(stream, most=3)
    log._thread = True  # type: ignore[assignment]
    for _ in range(5):
        log.put({"event": "request", "request_id": Facts(new_id()).request_id})
    log.flush()

    assert json.loads(stream.getvalue().splitlines()[-1])["count"] == 2
