"""Idempotency keys: one act however often, from however many at once."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.errors import Refused
from pigi.jobs.model.transitions import JOB
from pigi.operations.api_keys import issue_key
from pigi.operations.idempotency import ReservationHeartbeat
from pigi.operations.idempotency import reservations as idempotency
from pigi.store.keyring import Keyring
from tests.support.http import BODY, bearer, serve
from web.http import budget
from web.http import idempotency as views

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession
    from tests.support.http import Client

KEY = "order-1"
BYTES = json.dumps(BODY).encode()
ANSWER = idempotency.StoredResponse(202, "/somewhere", "{}")


def ask(client: Client, path: str, headers: dict[str, str], body: Any = None, key: str = KEY) -> Any:
    """A request with an idempotency key."""
    return client.post(path, json=BODY if body is None else body, headers={**headers, "Idempotency-Key": key})


def count_jobs(application: Application) -> int:
    """How many jobs there are."""
    with application.control.read() as session:
        return session.scalar(select(func.count()).select_from(JOB)) or 0


def age(application: Application, by: timedelta) -> None:
    """Make every key older."""
    with application.control.begin() as session:
        session.connection().execute(update(idempotency.TABLE).values(created_at=now() - by))


def decide(application: Application, reservation: idempotency.Reservation) -> None:
    """Decide outside a request."""
    with application.control.begin() as session:
        reservation.decide(session, ANSWER)


RINGS = ("o", "on", "no")
"""The keyrings of processes in a rotation from the key o to the key n, by the order of their keys."""


def rotated(application: Application, ring: str) -> Application:
    """The same application in a process that has this keyring."""
    return replace(application, keyring=Keyring([(name, name.encode() * 32) for name in ring]))


def repeat(client: Client, path: str, headers: dict[str, str]) -> Any:
    """The request that `hold` stands for."""
    headers = {**headers, "Idempotency-Key": KEY}
    return client.post(path, data=BYTES, content_type="application/json", headers=headers)


def hold(application: Application, caller: Caller, path: str) -> idempotency.Reservation:
    """Reserve the key as a request with `BODY` does that is never decided."""
    request = b"\0".join((b"POST", path.encode(), b"", BYTES))
    found = idempotency.reserve(application, caller.name, KEY, request)
    assert isinstance(found, idempotency.Reservation)
    return found


def test_a_repeat_gets_the_same_answer(
    application: Application, client: Client, headers: dict[str, str], asking: str
) -> None:
    first, second = ask(client, asking, headers), ask(client, asking, headers)

    assert (second.status_code, second.data) == (first.status_code, first.data)
    assert second.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert count_jobs(application) == 1


def test_another_request_with_the_key_is_refused(client: Client, headers: dict[str, str], asking: str) -> None:
    job = ask(client, asking, headers).json
    body = ask(client, asking, headers, {**BODY, "name": "other"})
    path = ask(client, job["links"]["cancel"], headers, {})

    assert [(answer.status_code, answer.json["code"]) for answer in (body, path)] == [
        (422, "idempotency_key_reused")
    ] * 2


def test_a_key_belongs_to_its_caller(
    application: Application, client: Client, headers: dict[str, str], asking: str, own: str
) -> None:
    mine = ask(client, asking, headers).json
    theirs = ask(client, asking, bearer(issue_key(application, own, "second"))).json

    assert mine["id"] != theirs["id"]


def test_a_refused_request_leaves_the_key_unused(client: Client, headers: dict[str, str], asking: str) -> None:
    job = client.post(asking, json=BODY, headers=headers).json

    refused = ask(client, job["links"]["retry"], headers, {"purpose": "Again."})
    accepted = ask(client, job["links"]["cancel"], headers, {})

    assert (refused.status_code, accepted.status_code) == (409, 202)
    assert ask(client, job["links"]["cancel"], headers, {}).data == accepted.data


@pytest.mark.parametrize("unusable", ["", " ", "k" * 256, "caf\u00e9", "a\tb"])
def test_an_unusable_key_is_refused(client: Client, headers: dict[str, str], asking: str, unusable: str) -> None:
    answer = ask(client, asking, headers, key=unusable)

    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_malformed")


def test_a_key_counts_for_a_day(application: Application, client: Client, headers: dict[str, str], asking: str) -> None:
    first = ask(client, asking, headers).json
    age(application, idempotency.KEPT + timedelta(seconds=1))

    assert ask(client, asking, headers, {**BODY, "name": "other"}).json["id"] != first["id"]


def test_only_digests_are_kept(application: Application, client: Client, headers: dict[str, str], asking: str) -> None:
    ask(client, asking, headers)

    with application.control.read() as session:
        row = session.execute(select(idempotency.TABLE)).one()
    assert KEY not in str(row)
    assert BODY["purpose"] not in str(row)


def test_a_repeat_waits_for_the_first_and_gets_its_answer(
    application: Application, app: Flask, caller: Caller, headers: dict[str, str], asking: str
) -> None:
    first, services = hold(application, caller, asking), app.extensions["pigi"]

    def look(*arguments: Any) -> Any:
        found = idempotency.reserve(*arguments)
        if found is None and services.repeats.taken:
            decide(application, first)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "reserve", look)
        answer = repeat(app.test_client(), asking, headers)

    assert (answer.status_code, answer.data, answer.headers["Location"]) == (202, b"{}", "/somewhere")
    assert services.repeats.taken == 0


def test_a_repeat_gives_up_when_the_first_is_not_decided(
    application: Application,
    client: Client,
    caller: Caller,
    headers: dict[str, str],
    asking: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "UNDECIDED_SECONDS", 0)
    hold(application, caller, asking)
    answer = repeat(client, asking, headers)

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_undecided")
    assert answer.headers["Retry-After"] == str(views.COME_AGAIN_SECONDS)


def test_whoever_waits_for_a_first_request_keeps_nobody_else(
    application: Application,
    app: Flask,
    caller: Caller,
    headers: dict[str, str],
    asking: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = hold(application, caller, asking)
    services, all_wait = app.extensions["pigi"], threading.Event()

    def look(*arguments: Any) -> Any:
        if services.repeats.taken == budget.ORDINARY:
            all_wait.set()
        return idempotency.reserve(*arguments)

    monkeypatch.setattr(views, "reserve", look)
    with ThreadPoolExecutor(budget.ORDINARY) as crowd:
        repeats = [crowd.submit(repeat, app.test_client(), asking, headers) for _ in range(budget.ORDINARY)]
        assert all_wait.wait(20)
        others = app.test_client().get("/api/v1/jobs", headers=headers)
        decide(application, first)

    assert others.status_code == 200
    assert {one.result().status_code for one in repeats} == {202}


def test_when_too_many_wait_a_repeat_is_told_to_come_again_at_once(
    application: Application, app: Flask, client: Client, caller: Caller, headers: dict[str, str], asking: str
) -> None:
    app.extensions["pigi"].repeats.free = 0
    hold(application, caller, asking)
    answer = repeat(client, asking, headers)

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_undecided")
    assert answer.headers["Retry-After"] == "1"


def test_a_dead_owner_s_key_is_taken_over_and_the_dead_decide_nothing(application: Application, caller: Caller) -> None:
    dead = idempotency.reserve(application, caller.name, KEY, b"request")
    age(application, timedelta(seconds=11))
    heir = idempotency.reserve(application, caller.name, KEY, b"request")
    assert isinstance(dead, idempotency.Reservation)
    assert isinstance(heir, idempotency.Reservation)

    with pytest.raises(Refused, match="idempotency_undecided"):
        decide(application, dead)
    dead.release()
    decide(application, heir)

    assert idempotency.reserve(application, caller.name, KEY, b"request") == ANSWER


def test_who_is_at_work_for_long_is_not_taken_for_dead(application: Application, caller: Caller) -> None:
    heartbeat, mine = ReservationHeartbeat(), idempotency.reserve(application, caller.name, KEY, b"request")
    assert isinstance(mine, idempotency.Reservation)
    with heartbeat.holding(mine):
        age(application, idempotency.ABANDONED + timedelta(seconds=1))
        heartbeat.beat()
        assert idempotency.reserve(application, caller.name, KEY, b"request") is None
    age(application, idempotency.ABANDONED + timedelta(seconds=1))
    heartbeat.beat()
    heartbeat.close()

    assert isinstance(idempotency.reserve(application, caller.name, KEY, b"request"), idempotency.Reservation)


def test_one_heir_among_many(application: Application, caller: Caller) -> None:
    idempotency.reserve(application, caller.name, KEY, b"request")
    age(application, idempotency.ABANDONED + timedelta(seconds=1))

    def claim(_number: int) -> bool:
        return isinstance(idempotency.reserve(application, caller.name, KEY, b"request"), idempotency.Reservation)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(16))) == 1


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(RINGS, 2)))
def test_while_keys_are_rotated_a_key_acts_once(
    application: Application, caller: Caller, first: str, second: str
) -> None:
    one, other = rotated(application, first), rotated(application, second)
    mine = idempotency.reserve(one, caller.name, KEY, b"request")
    assert isinstance(mine, idempotency.Reservation)
    assert idempotency.reserve(other, caller.name, KEY, b"request") is None
    decide(application, mine)

    assert idempotency.reserve(other, caller.name, KEY, b"request") == ANSWER
    with pytest.raises(Refused, match="idempotency_key_reused"):
        idempotency.reserve(other, caller.name, KEY, b"another")


def test_while_keys_are_rotated_one_of_two_at_the_same_moment_acts(
    application: Application, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Barrier(2)
    insert = idempotency._insert

    def after_both_looked(*arguments: Any, **others: Any) -> bool:
        looked.wait(20)
        return insert(*arguments, **others)

    monkeypatch.setattr(idempotency, "_insert", after_both_looked)
    reserve = lambda ring: idempotency.reserve(rotated(application, ring), caller.name, KEY, b"request")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(reserve, ("on", "no")))

    assert sorted(isinstance(one, idempotency.Reservation) for one in found) == [False, True]


def test_an_act_whose_key_was_taken_rolls_back(
    application: Application, client: Client, headers: dict[str, str], asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stolen(
        reservation: idempotency.Reservation, session: ControlSession, answer: idempotency.StoredResponse
    ) -> None:
        session.connection().execute(update(idempotency.TABLE).values(token="stolen"))
        decision(reservation, session, answer)

    decision = idempotency.Reservation.decide
    monkeypatch.setattr(idempotency.Reservation, "decide", stolen)
    answer = ask(client, asking, headers)

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_undecided")
    assert count_jobs(application) == 0


@pytest.mark.timeout(120)
def test_fifty_at_once_make_one_job(application: Application, key: str, asking: str, tmp_path: Path) -> None:
    headers = bearer(key, **{"Idempotency-Key": KEY})
    start = threading.Barrier(50)

    with serve(application.settings, tmp_path / "server.log", workers=2) as server:

        def once(_number: int) -> Any:
            start.wait()
            return server.ask("POST", asking, headers, BODY)

        began = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(once, range(50)))
        took = time.monotonic() - began

    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert sum("idempotency-replayed" not in {name.lower() for name in answer.headers} for answer in answers) == 1
    assert count_jobs(application) == 1
    assert took < views.UNDECIDED_SECONDS
