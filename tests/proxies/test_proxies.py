"""What a client can and cannot do through the proxies of docs/operations.md, over TLS."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from pigi.operations.api_keys import issue_key
from pigi.operations.jobs import cancel_job
from tests.proxies.conftest import PUBLIC
from tests.support.factories import make_organisation
from tests.support.http import BODY, bearer
from tests.support.http2 import ask_h2
from tests.support.people import PASSWORD, an_address, hashed, make_account
from tests.support.stack import until

if TYPE_CHECKING:
    from tests.proxies.conftest import Front
    from tests.support.http import Answered

API = "/api/v1"
VICTIM = "127.0.0.2"
SPELLINGS = (
    "X-Forwarded-For", "x-forwarded-for", "X_Forwarded_For", "x_forwarded_for", "X-Forwarded_For", "X_Forwarded-For",
    "X_FORWARDED-FOR", "X-Real-IP", "X_Real_IP",
)  # fmt: skip
MOST_UNDER_WAY = 100


def wrong(front: Front, address: str, headers: dict[str, str] | None = None, **way: Any) -> Answered:
    return front.ask(
        "POST", f"{API}/session", headers, json.dumps({"email": address, "password": "wrong " * 3}).encode(), **way
    )


def over_h2(front: Front, address: str, name: str, value: str) -> Any:
    body = json.dumps({"email": address, "password": "wrong " * 3}).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(body))), (name, value)]
    with front.opened_h2() as line:
        return json.loads(ask_h2(line, "POST", f"{API}/session", headers, body))


def test_no_client_gets_more_tries_or_spends_anothers_by_naming_a_network(front: Front) -> None:
    address = an_address()
    first = [wrong(front, address, {"X-Forwarded-For": f"198.51.100.{n}"}).status for n in range(6)]
    assert first == [401] * 5 + [429]
    named = [wrong(front, address, {name: told}).status for name in SPELLINGS for told in ("198.51.100.9", VICTIM)]
    named += [wrong(front, address, {"Forwarded": f"for={VICTIM};proto=https"}).status]
    assert set(named) == {429}
    assert {over_h2(front, address, name.lower(), VICTIM)["code"] for name in SPELLINGS} == {"too_many_tries"}
    # Had one of them been believed, the tries of whoever is there would be used up.
    assert wrong(front, address, source=VICTIM).status == 401


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"X-Forwarded-Proto": "https"},
        {"X_Forwarded_Proto": "https"},
        {"Forwarded": "proto=https"},
        {"X-Forwarded_Proto": "https"},
    ],
)
def test_what_comes_in_the_clear_is_not_taken_for_more_by_saying_so(front: Front, told: dict[str, str]) -> None:
    reading = front.ask("GET", "/sign-in?next=%2F", told, tls=False)
    assert (reading.status, reading.headers["location"]) == (308, f"{PUBLIC}/sign-in?next=%2F")
    acting = front.ask("POST", f"{API}/session", told, b"{}", tls=False)
    assert (acting.status, acting.json["code"]) == (403, "https_required")


def test_whoever_signs_in_stays_so_and_is_told_to_insist_on_https(front: Front) -> None:
    address = an_address()
    make_account(front.house.application, email=address, password_hash=hashed())
    told = {"X-Forwarded-Proto": "http", "X_Forwarded_Proto": "http"}
    body = json.dumps({"email": address, "password": PASSWORD}).encode()
    line = front.open()
    with closing(line):
        line.request("POST", f"{API}/session", body, {"Content-Type": "application/json", **told})
        signed = line.getresponse()
        signed.read()
        cookies = signed.headers.get_all("Set-Cookie") or []
    assert signed.status == 201
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)
    mine = front.ask(
        "GET", f"{API}/session", {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies), **told}
    )
    assert mine.status == 200
    assert mine.headers["strict-transport-security"].startswith("max-age=")


def test_an_event_stream_arrives_piece_by_piece(front: Front) -> None:
    application = front.house.application
    organisation = make_organisation(application.control, application.tenants)
    key = issue_key(application, organisation, "tests")
    asked = front.ask("POST", f"{API}/organisations/{organisation}/generations", bearer(key), json.dumps(BODY).encode())
    job = asked.json
    line = front.open()
    with closing(line):
        line.request("GET", job["links"]["events"], headers=bearer(key))
        stream = line.getresponse()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        # It has come while nothing says that more will: a proxy that waits for more would keep this until the end.
        first = stream.read1()
        while b"event: move" not in first:
            first += stream.read1()
        assert b"event: end" not in first
        cancel_job(application, job["id"], organisation)
        assert b"event: end" in stream.read()


def test_http_2_is_spoken_at_the_edge(front: Front) -> None:
    found = over_h2(front, an_address(), "x-forwarded-for", "198.51.100.1")
    assert (found["status"], found["code"]) == (401, "wrong_credentials")


def test_a_network_has_so_much_under_way_and_no_other_pays_for_it(front: Front) -> None:
    with ExitStack() as held:
        for _ in range(MOST_UNDER_WAY):
            if front.name == "nginx":
                line = held.enter_context(closing(front.open()))
                line.putrequest("POST", f"{API}/session")
                line.putheader("Content-Length", "10")
                line.endheaders(b"{")
            else:
                held.enter_context(socket.create_connection(("127.0.0.1", front.secure)))
        until(lambda: refused(front), 60, "nobody of this network is refused")
        assert front.ask("GET", "/healthz", source=VICTIM).status == 200


def refused(front: Front) -> bool:
    try:
        return front.ask("GET", "/healthz").status == 429
    except OSError:
        return True


def test_a_body_that_nothing_here_takes_is_refused_before_it_is_sent(front: Front) -> None:
    line = front.open()
    with closing(line):
        line.putrequest("POST", f"{API}/session")
        line.putheader("Content-Length", str(2 << 30))
        line.endheaders(b" " * 32_768)
        assert line.getresponse().status == 413
