"""No refusal repeats much of what was sent, and nothing that cannot be printed: on every route, from every place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from pigi.application import Application
from tests.access.asks import ask_of
from tests.access.callers import CALLERS, a_network
from tests.support.accounts import make_passwords_cheap
from tests.support.furnished import VARIABLE, fill, furnish, usual
from tests.support.http import BODY, make_well
from tests.support.pages import BROWSER
from web.app import ROUTES, create_app
from web.http.errors import MACHINES
from web.http.replies import API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.support.furnished import Furnished
    from tests.support.sqlite import SqliteStores
    from web.http.routes import Route

MOST = 100
"""Characters of what a client sent that a refusal may repeat in one piece."""
LONG = "".join(f"q{number:03x}" for number in range(300))
"""Each stretch of it is there once, so whatever of it comes back is found."""
NAME = LONG[:60]
TURNING = "\u202e"
ODD = f"a\u0000b\u001b[31m{TURNING}\u2028\U000e0041"
SECRET = "sk-ant-api03-Zk9v-8Rl2mQx7TtYw0uBn4"
PARAMETERS = ("limit", "before", "after", "organisation", "q", "sort", "state", "kind", "from", "next")
# Not X-Request-ID: of 8 to 64 plain characters, it is kept so that whoever sent it finds it again.
HEADERS = (
    "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Range", "Prefer", "Last-Event-ID", "Pigi-Examples",
    "X-XSRF-TOKEN", "Origin", "Accept", "Content-Type", "Authorization", "Cookie", "Referer",
)  # fmt: skip


@pytest.fixture(scope="module")
def application(sqlite_stores: SqliteStores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    settings = sqlite_stores.fresh(tmp_path_factory.mktemp("echoes") / "home")
    opened = Application.open(settings)
    yield opened
    opened.dispose()
    sqlite_stores.clean(settings)


@pytest.fixture
def app(application: Application) -> Iterator[Flask]:
    made = create_app(application)
    made.extensions["pigi"].streams.free = 0
    yield made
    made.extensions["pigi"].close()


def strange(value: Any, what: str, deep: bool = True) -> Any:
    """``value`` with every text and every name replaced, or with a further name in each object."""
    if isinstance(value, dict):
        changed = {name: strange(inner, what, deep) for name, inner in value.items()} if deep else dict(value)
        return {**changed, what: {what: what}}
    if isinstance(value, list):
        return [strange(inner, what, deep) for inner in value] or [what]
    return what if isinstance(value, str) else value


def requests_of(route: Route, path: str, body: Any) -> Iterator[tuple[str, bytes | None]]:
    """Paths with queries, and bodies."""
    data = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else None
    if VARIABLE.search(route.path):
        for what in (LONG, ODD, SECRET):
            yield fill(route.path, dict.fromkeys(VARIABLE.findall(route.path), quote(what, safe=""))), data
    if route.method == "GET" and route.documented:
        for what in (LONG, SECRET):
            yield f"{path}?{urlencode({what: what, **dict.fromkeys(PARAMETERS, what)})}", None
    if data is not None:
        for what, deep in ((LONG, True), (LONG, False), (NAME, False), (ODD, False), (SECRET, False)):
            yield path, json.dumps(strange(body, what, deep=deep)).encode()


def repeated(answer: Any) -> str:
    """What is wrong with an answer: how it repeats what was sent; empty if it does not."""
    told = answer.get_data(as_text=True)
    if answer.mimetype.endswith("json"):
        told = "\n".join(texts(json.loads(told)))
    told += "".join(f"\n{name}: {value}" for name, value in answer.headers.items())
    odd = {sign for sign in told if not sign.isprintable() and sign not in "\n\t"}
    if odd:
        return f"signs that cannot be seen: {odd!r}"
    if SECRET in told:
        return "a secret"
    longest = max(pieces(told), default=0)
    return f"{longest} characters in one piece" if longest > MOST else ""


def pieces(told: str) -> Iterator[int]:
    """How long each piece of `LONG` is; one of more than `MOST` characters holds a whole half of it."""
    for begin in range(0, len(LONG), MOST // 2):
        place, end = told.find(LONG[begin : begin + MOST // 2]), begin + MOST // 2
        if place >= 0:
            first = begin
            while first and place and LONG[first - 1] == told[place - 1]:
                first, place = first - 1, place - 1
            at = place + end - first
            while end < len(LONG) and at < len(told) and LONG[end] == told[at]:
                end, at = end + 1, at + 1
            yield end - first


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def homes(application: Application, monkeypatch: pytest.MonkeyPatch) -> tuple[Furnished, Furnished]:
    make_passwords_cheap(monkeypatch)
    make_well(application)
    return furnish(application), furnish(application, "Ferry Company")


def test_no_refusal_repeats_much_of_a_path_a_query_or_a_body(app: Flask, homes: tuple[Furnished, Furnished]) -> None:
    found: dict[str, str] = {}
    refusals = 0
    owner = CALLERS["owner"](app, *homes)
    for route in ROUTES:
        caller = owner if route.method == "GET" else CALLERS["owner"](app, *homes)
        asked = ask_of(f"{route.method} {route.path}")(homes[0], caller)
        known = dict.fromkeys(VARIABLE.findall(route.path), "none") | usual(homes[0], route.path) | asked.values
        machine = route.path.startswith(MACHINES)
        for where, data in requests_of(route, fill(route.path, known), asked.body):
            answer = ask(caller, route.method, where, data, {} if machine else BROWSER)
            refusals += answer.status_code >= 400
            if wrong := repeated(answer) if answer.status_code >= 300 else "":
                found.setdefault(f"{route.method} {route.path}: {wrong}", answer.get_data(as_text=True)[:600])
    assert found == {}
    assert refusals > 400


def test_no_refusal_repeats_much_of_a_header(app: Flask, homes: tuple[Furnished, Furnished]) -> None:
    home = homes[0]
    caller = CALLERS["owner"](app, *homes)
    own = f"{API}/organisations/{home.organisation}"
    asks = [("GET", f"{own}/jobs"), ("POST", f"{own}/generations")]
    found = []
    for name in HEADERS:
        for what in (LONG, "Bearer " + LONG, SECRET):
            for method, path in asks:
                data = json.dumps(BODY).encode() if method == "POST" else None
                answer = ask(caller, method, path, data, {name: what})
                found += [(name, wrong)] if answer.status_code >= 300 and (wrong := repeated(answer)) else []
    assert found == []


def ask(caller: Any, method: str, where: str, data: bytes | None, headers: dict[str, str]) -> Any:
    sent = {**({"Content-Type": "application/json"} if data is not None else {}), **headers}
    answer = caller.client.open(
        where, method=method, headers=sent, data=data, environ_base={"REMOTE_ADDR": a_network()}
    )
    assert answer.status_code < 500 or where.startswith("/readyz"), (
        method,
        where[:200],
        answer.get_data(as_text=True)[:300],
    )
    return answer
