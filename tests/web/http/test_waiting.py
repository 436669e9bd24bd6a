"""``Prefer: wait``: honoured within bounds, ignored when it cannot be read."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from pigi.operations.jobs import cancel_job, list_jobs
from tests.support.http import BODY
from web.http.dispatch import LONGEST_WAIT_SECONDS, wait_preference

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client


def cancel_soon(application: Application, organisation_id: str) -> None:
    """Cancel the organisation's first job as soon as there is one."""
    while not (jobs := list_jobs(application, organisation_id)):
        time.sleep(0.02)
    cancel_job(application, jobs[0].id, organisation_id)


def test_the_finished_job_is_answered(
    application: Application, client: Client, headers: dict[str, str], asking: str, own: str
) -> None:
    threading.Thread(target=cancel_soon, args=(application, own), daemon=True).start()
    began = time.monotonic()
    answer = client.post(asking, json=BODY, headers={**headers, "Prefer": "wait=20"})

    assert (answer.status_code, answer.json["state"]) == (200, "cancelled")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert time.monotonic() - began < 15


def test_a_job_that_takes_longer_is_accepted(client: Client, headers: dict[str, str], asking: str, app: Flask) -> None:
    answer = client.post(asking, json=BODY, headers={**headers, "Prefer": "wait=1"})

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert app.extensions["pigi"].watcher.watched == 0


def test_a_replay_waits_too(client: Client, headers: dict[str, str], asking: str) -> None:
    keyed = {**headers, "Idempotency-Key": "k"}
    job = client.post(asking, json=BODY, headers=keyed).json
    client.post(job["links"]["cancel"], headers=headers)
    answer = client.post(asking, json=BODY, headers={**keyed, "Prefer": "wait=5"})

    assert (answer.status_code, answer.json["id"], answer.json["state"]) == (200, job["id"], "cancelled")


def test_without_a_place_nobody_waits(client: Client, headers: dict[str, str], asking: str, app: Flask) -> None:
    app.extensions["pigi"].waits.free = 0
    answer = client.post(asking, json=BODY, headers={**headers, "Prefer": "wait=20"})

    assert (answer.status_code, "Preference-Applied" in answer.headers) == (202, False)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("WAIT = 10", 10),
        ('wait="7"', 7),
        ("respond-async, wait=3; x=1", 3),
        ('handling="a, wait=9", wait=2', 2),
        ("wait=1, wait=5", 1),
        ("wait=0", 0),
        ("wait=99999999999999999999", LONGEST_WAIT_SECONDS),
        ("wait", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=x, wait=5", None),
        ("waiting=5", None),
        ("wait=\u0665", None),
        ("", None),
    ],
)
def test_the_header_is_read_as_rfc_7240_says(header: str, seconds: int | None) -> None:
    with Flask("test").test_request_context(headers={"Prefer": header}):
        assert wait_preference() == seconds


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_no_header_can_break_it(header: str) -> None:
    with Flask("test").test_request_context(headers={"Prefer": header}):
        assert wait_preference() is None or 0 <= (wait_preference() or 0) <= LONGEST_WAIT_SECONDS
