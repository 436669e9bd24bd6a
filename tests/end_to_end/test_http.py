"""The whole of it over HTTP: a real server, a real Redis, a real worker."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pigi.operations.api_keys import issue_key
from tests.support.http import Answered, Server, bearer, read_events, serve
from tests.support.sinks import requests_by_name
from tests.support.stack import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import Stack


@pytest.fixture(scope="module")
def server(shared_stack: Stack) -> Iterator[Server]:
    """The web process of the shared stack."""
    shared_stack.mend()
    with serve(shared_stack.settings, shared_stack.logs / "web.log") as running:
        yield running


@pytest.fixture
def own(shared_stack: Stack) -> str:
    return shared_stack.another_organisation()


@pytest.fixture
def headers(shared_stack: Stack, own: str) -> dict[str, str]:
    return bearer(issue_key(shared_stack.application, own, "drill"))


def body(name: str) -> dict[str, str]:
    return {"resource": "agent", "name": name, "purpose": "Reviews changes for missing tests."}


def ask(server: Server, own: str, headers: dict[str, str], name: str, **more: str) -> Answered:
    return server.ask("POST", f"/api/v1/organisations/{own}/generations", {**headers, **more}, body(name))


def job_at(server: Server, location: str, headers: dict[str, str]) -> Any:
    return server.ask("GET", location, headers).json


def lowered(answered: Answered) -> dict[str, str]:
    return {name.lower(): value for name, value in answered.headers.items()}


def test_a_request_becomes_a_draft_that_its_events_lead_to(stack, server, own, headers) -> None:
    held = stack.model.hold("followed", after=60)
    asked = ask(server, own, headers, "followed")
    assert asked.status == 202
    location = lowered(asked)["location"]
    assert location == f"/api/v1/jobs/{asked.json['id']}"
    stream = server.open("GET", f"{location}/events", headers)
    held.wait()
    held.release()
    told = read_events(stream.getresponse().read().decode())
    stream.close()
    assert told[-1].event == "end"
    assert told[-1].data["state"] == "succeeded"
    assert [one.data["state"] for one in told if one.event == "move"] == ["queued", "running", "succeeded"]
    shown = server.ask("GET", told[-1].data["links"]["result"], headers)
    assert shown.status == 200
    assert shown.json["draft"]["name"] == "followed"


def test_fifty_at_once_with_one_key_make_one_job(stack, server, own, headers) -> None:
    with ThreadPoolExecutor(50) as crowd:
        repeat = lambda _: ask(server, own, headers, "fifty", **{"Idempotency-Key": "fifty"})
        answers = list(crowd.map(repeat, range(50)))
    assert {answer.status for answer in answers} == {202}
    ids = {answer.json["id"] for answer in answers}
    assert len(ids) == 1
    assert stack.wait(ids)[0].state == "succeeded"
    assert requests_by_name(stack.model)["fifty"] == 1
    assert ask(server, own, headers, "another body", **{"Idempotency-Key": "fifty"}).status == 422


def test_another_organisations_key_finds_nothing(stack, server, own, headers) -> None:
    asked = ask(server, own, headers, "private")
    other = stack.another_organisation()
    stranger = bearer(issue_key(stack.application, other, "stranger"))
    view = stack.wait([asked.json["id"]])[0]
    for path in (
        f"/api/v1/jobs/{view.id}",
        f"/api/v1/jobs/{view.id}/events",
        f"/api/v1/organisations/{own}/generations/{view.subject_id}",
        f"/api/v1/organisations/{other}/generations/{view.subject_id}",
    ):
        assert server.ask("GET", path, stranger).status == 404, path
    assert ask(server, own, stranger, "intruder").status == 404
    assert server.ask("POST", f"/api/v1/jobs/{view.id}/cancel", stranger).status == 404


def test_who_waits_gets_the_finished_job(stack, server, own, headers) -> None:
    answered = ask(server, own, headers, "awaited", Prefer="wait=20")
    assert answered.status == 200
    assert answered.json["state"] == "succeeded"
    held = stack.model.hold("too slow")
    late = ask(server, own, headers, "too slow", Prefer="wait=1")
    assert late.status == 202
    held.release()
    stack.wait([late.json["id"]])


def test_requests_are_accepted_while_redis_is_away(stack, server, own, headers) -> None:
    stack.stop_redis()
    began = time.monotonic()
    answers = [ask(server, own, headers, f"bell-less {number}") for number in range(4)]
    took = time.monotonic() - began
    assert {answer.status for answer in answers} == {202}
    assert took < 4 * 0.6
    assert until(lambda: server.ask("GET", "/healthz", {}).status == 200, 5, "the web is alive")
    stack.redis()
    assert {view.state for view in stack.wait([answer.json["id"] for answer in answers], 40)} == {"succeeded"}
