"""Event streams: complete from any cut, bounded in number, and given back when a client goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from pigi.jobs.model.transitions import JOB
from pigi.operations.generations.generations import LIVE_TEXT, seal_piece
from pigi.operations.jobs import cancel_job
from tests.support.http import BODY, bearer, read_events, serve
from web.http import budget, streams

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client


@pytest.fixture
def job(client: Client, headers: dict[str, str], asking: str) -> Any:
    """A job that was asked for."""
    return client.post(asking, json=BODY, headers=headers).json


def run(application: Application, job: Any, pieces: list[str]) -> None:
    """Make the job look as while a model writes."""
    with application.control.autocommit() as connection:
        line = JOB.c.timeline + "2026-01-01T00:00:00.000000Z running 1 -\n"
        values = {
            "state": "running",
            "attempt": 1,
            "timeline": line,
            "revision": JOB.c.revision + 1,
            "progress_done": 1,
        }
        connection.execute(JOB.update().where(JOB.c.id == job["id"]).values(**values))
    with application.tenants.session(job["organisation_id"]) as tenant:
        for position, text in enumerate(pieces, start=1):
            sealed = seal_piece(tenant, job["subject_id"], position, text)
            row = {"generation_id": job["subject_id"], "position": position, "turn": 11, "text": sealed}
            tenant.connection().execute(LIVE_TEXT.insert(), row)


def follow(client: Client, job: Any, headers: dict[str, str], last: str | None = None) -> Any:
    """The whole of a stream."""
    extra = {} if last is None else {"Last-Event-ID": last}
    return client.get(job["links"]["events"], headers={**headers, **extra})


def test_a_job_is_followed_to_its_end(
    application: Application, client: Client, headers: dict[str, str], job: Any, app: Flask, after: Any
) -> None:
    after(0.5, cancel_job, application, job["id"], job["organisation_id"])
    answer = follow(client, job, headers)
    events = read_events(answer.get_data(as_text=True))

    assert answer.content_type.startswith("text/event-stream")
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert [event.event for event in events] == ["move", "move", "end"]
    assert (events[1].data["state"], events[2].data["state"]) == ("cancelled", "cancelled")
    assert app.extensions["pigi"].streams.free == budget.STREAMS
    assert app.extensions["pigi"].watcher.watched == 0
    assert follow(client, job, headers, events[-1].id).status_code == 204


def test_without_a_place_the_stream_is_brief(
    application: Application, client: Client, headers: dict[str, str], job: Any, app: Flask
) -> None:
    run(application, job, ["Hel", "lo\n\n"])
    app.extensions["pigi"].streams.free = 0
    text = follow(client, job, headers).get_data(as_text=True)

    assert text.startswith("retry: 2000\n\n")
    assert [event.event for event in read_events(text)] == ["move", "move", "progress", "text", "text"]
    assert "".join(event.data["text"] for event in read_events(text)[-2:]) == "Hello\n\n"


def test_any_cut_is_resumed(
    application: Application, client: Client, headers: dict[str, str], job: Any, app: Flask
) -> None:
    run(application, job, ["a", "b", "c"])
    app.extensions["pigi"].streams.free = 0
    whole = read_events(follow(client, job, headers).get_data(as_text=True))

    for cut, event in enumerate(whole, start=1):
        rest = read_events(follow(client, job, headers, event.id).get_data(as_text=True))
        assert whole[:cut] + rest == whole


@pytest.mark.parametrize(
    "last", ["", "x", "1.2", "-1.0.0", "9.0.0", "0.9.0", "1.1.1.1", "9999999999.0.0", "2.2.77", "\u0661.0.0"]
)
def test_an_id_that_was_never_given_misses_nothing(
    application: Application, client: Client, headers: dict[str, str], job: Any, app: Flask, last: str
) -> None:
    run(application, job, ["a", "b"])
    app.extensions["pigi"].streams.free = 0
    events = read_events(follow(client, job, headers, last.encode().decode("latin-1")).get_data(as_text=True))

    assert [event.data["text"] for event in events if event.event == "text"] == ["a", "b"]


def test_an_old_stream_asks_its_client_to_come_back(
    client: Client, headers: dict[str, str], job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_SECONDS", 0.5)
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.1)
    text = follow(client, job, headers).get_data(as_text=True)

    assert text.startswith("retry: ")
    assert "\n:\n" in text
    assert "event: end" not in text


def test_a_failing_database_ends_the_stream_with_a_retry(
    client: Client,
    headers: dict[str, str],
    job: Any,
    monkeypatch: pytest.MonkeyPatch,
    application: Application,
    after: Any,
) -> None:
    def away(*_arguments: object) -> None:
        raise OSError

    after(0.3, cancel_job, application, job["id"], job["organisation_id"])
    answer = follow(client, job, headers)
    monkeypatch.setattr(streams, "read_job", away)
    text = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert text.endswith("retry: 2000\n\n")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_streams_never_starve_requests_and_end_with_their_clients(
    application: Application, key: str, job: Any, tmp_path: Path
) -> None:
    with serve(application.settings, tmp_path / "server.log", threads=budget.THREADS) as server:
        held = [server.open("GET", job["links"]["events"], bearer(key)) for _ in range(budget.STREAMS_OF_ONE)]
        first = [connection.getresponse().read(12) for connection in held]
        brief = server.ask("GET", job["links"]["events"], bearer(key))
        began = time.monotonic()
        busy = [server.ask("GET", job["links"]["self"], bearer(key)).status for _ in range(50)]
        took = time.monotonic() - began
        for connection in held:
            connection.close()
        freed = _until_free(server, application, job, key)

    assert set(first) == {b"retry: 500\n\n"}
    assert brief.body.startswith(b"retry: 2000")
    assert set(busy) == {200}
    assert took < 5
    assert freed


def _until_free(server: Any, application: Application, job: Any, key: str) -> bool:
    """Whether a stream gets a place once the job stirred: the server notices at the next event or heartbeat."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        with application.control.autocommit() as connection:
            connection.execute(JOB.update().values(revision=JOB.c.revision + 1, progress_done=JOB.c.revision))
        time.sleep(0.3)
        attempt = server.open("GET", job["links"]["events"], bearer(key))
        started = attempt.getresponse().read(12)
        attempt.close()
        if started == b"retry: 500\n\n":
            return True
    return False
