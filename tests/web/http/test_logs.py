"""The logs of P04: enough to find a request again, and nothing of what was in it; never in a request's way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from pigi.store import log_entries
from pigi.store.log_entries import ERROR, REQUEST, USAGE, open_logbook
from tests.support.http import BODY
from tests.support.stack import until
from web.app import ROUTES
from web.http.logs import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.store.logbook import Logbook
    from tests.support.http import Client


MARK = "zebra-marker"


@pytest.fixture
def book(application: Application) -> Iterator[Logbook]:
    """This process's logbook, in the application's database."""
    handlers = logging.getLogger().handlers[:]
    opened = open_logbook(application.settings.database_url, "web")
    yield opened
    log_entries.use(None)
    logging.getLogger().handlers[:] = handlers
    opened.close()


def rows(application: Application, book: Logbook, table: Any) -> list[Any]:
    """What was written to one of the logs."""
    book.flush()
    with application.control.autocommit() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)).all())


def test_a_line_names_the_request_and_not_its_content(
    client: Client,
    headers: dict[str, str],
    asking: str,
    own: str,
    application: Application,
    book: Logbook,
    caplog: pytest.LogCaptureFixture,
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
    monkeypatch.setattr("web.api.jobs.list_jobs", _break)
    client.get("/api/v1/jobs", headers=headers)

    requests, errors, signals = (rows(application, book, table) for table in (REQUEST, ERROR, USAGE))
    written = repr((requests, errors, signals)) + caplog.text
    assert MARK not in written
    assert "127.0.0.1" not in written
    first = requests[0]
    assert (first.method, first.route, first.status, first.organisation_id, first.job_id) == (
        "POST",
        "/api/v1/organisations/<organisation>/generations",
        202,
        own,
        job["id"],
    )
    assert [row.status for row in requests] == [202, 422, 422, 404, 404, 401, 500]
    assert {row.route for row in requests[3:5]} == {"-"}
    assert requests[4].method == "other"
    (error,) = errors
    assert (error.process, error.place, error.error) == ("web", "/api/v1/jobs", "ValueError")
    assert error.request_id == requests[-1].request_id
    assert "test_logs:_break:" in error.frames
    assert [(row.event, row.organisation_id) for row in signals] == [("generation.asked", own)]


def _break(*_arguments: object, **_others: object) -> None:
    raise ValueError(MARK)


def test_standard_error_hears_of_errors_and_not_of_requests(
    client: Client,
    headers: dict[str, str],
    book: Logbook,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.get("/api/v1/jobs", headers=headers)
    monkeypatch.setattr("web.api.jobs.list_jobs", _break)
    answer = client.get("/api/v1/jobs", headers=headers)
    book.flush()

    (message,) = caplog.messages
    assert message.startswith("/api/v1/jobs: ValueError at ")
    assert message.endswith(f"request_id={answer.headers['X-Request-ID']}")


def test_what_a_library_logs_as_an_error_is_noted_without_its_words(application: Application, book: Logbook) -> None:
    log = logging.getLogger("some.library")
    log.error("of %s", MARK)
    try:
        _break()
    except ValueError:
        log.exception(MARK)
    log.warning("no error")

    one, other = rows(application, book, ERROR)
    assert (one.place, one.error) == ("some.library", "ERROR")
    assert (other.place, other.error) == ("some.library", "ValueError")
    assert MARK not in repr((one, other))
    assert all("test_logs" in row.frames for row in (one, other))


def test_a_log_that_cannot_be_written_delays_no_request(
    client: Client, application: Application, book: Logbook
) -> None:
    blocker = application.control.engine.connect()
    blocker.begin()
    if blocker.dialect.name == "postgresql":
        blocker.exec_driver_sql("LOCK TABLE request_log IN ACCESS EXCLUSIVE MODE")
    try:
        # The lock is given back only after the last answer: had one waited for it, none would come.
        assert {client.get("/problems/internal").status_code for _ in range(100)} == {200}
    finally:
        blocker.close()
    until(lambda: len(rows(application, book, REQUEST)) == 100, 30, "all lines are written")


def test_probes_are_noted_when_they_fail(client: Client, application: Application, book: Logbook) -> None:
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert [(row.route, row.status) for row in rows(application, book, REQUEST)] == [("/readyz", 503)]


def test_without_a_logbook_nothing_is_noted(client: Client, headers: dict[str, str], asking: str) -> None:
    assert client.post(asking, json=BODY, headers=headers).status_code == 202


@pytest.mark.parametrize(("method", "path"), list(EVENTS))
def test_every_feature_that_is_counted_is_a_route(method: str, path: str) -> None:
    assert (method, path) in {(route.method, route.path) for route in ROUTES}
    assert len(EVENTS[(method, path)]) <= 40


def test_every_route_fits_into_the_log() -> None:
    assert max(len(route.path) for route in ROUTES) <= log_entries.LINE
