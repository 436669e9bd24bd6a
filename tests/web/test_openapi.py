"""The API document, held to the letter: a fuzzer compares it with what the routes really answer, to whoever asks."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from argon2 import PasswordHasher, profiles
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from pigi.application import Application
from pigi.ids import new_id
from pigi.operations import passwords
from pigi.operations.sessions import csrf_token
from tests.access.asks import ask_of
from tests.access.callers import CALLERS, Caller, a_network
from tests.access.table import read
from tests.support.furnished import VARIABLE, furnish, usual
from tests.support.http import bearer, make_well
from tests.support.people import make_key
from web import cookies as cookies_of
from web.app import ROUTES, create_app
from web.openapi import build
from web.routes import API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.factories import Stores
    from tests.support.furnished import Furnished

BRACED = partial(VARIABLE.sub, r"{\1}")
DOCUMENT = "/api/v1/openapi.json"
EXAMPLES = {"owner": 16, "key": 10}
"""For each sort of caller, how many requests of each operation; an owner may more, so more can go wrong."""
FAULTS_OF_FORM = frozenset(
    {
        "malformed_request", "malformed_body", "idempotency_key_malformed", "invalid", "media_type_unsupported",
        "body_too_large", "method_not_allowed",
    }
)  # fmt: skip
"""What a request that the document calls good must not be refused with. Any other refusal is for what there is."""
RULED = ("agents", "mcp-servers", "documents", "settings", "{resource}")
ADDRESSED = ("accounts", "session", "me", "password-resets", "invitations")
"""Ends of paths whose bodies must also hold to rules that no schema can say: the linter's, and those of addresses."""


class Stage:
    """The application that is on now: the fuzzer wants one when this module is imported."""

    app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Hand the request on, from a network of its own, so that no throttle sums them up."""
        return self.app(environ | {"REMOTE_ADDR": a_network()}, start_response)


stage = Stage()
fuzzed = schemathesis.openapi.from_dict(json.loads(build(ROUTES, "http://localhost")), config=SchemathesisConfig())
fuzzed.app = stage
BY_NAME = {f"{route.method} {BRACED(route.path)}": route for route in ROUTES if route.documented}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def homes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Furnished, Any]]:
    """An installation that is well, with two organisations. Hashes are made quick: nothing here needs guarding."""
    stores: Stores = request.getfixturevalue(f"{request.param}_stores")
    chosen = stores.fresh(tmp_path_factory.mktemp("fuzz") / "home")
    application = Application.open(chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PARAMETERS", profiles.CHEAPEST)
        patch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(profiles.CHEAPEST))
        make_well(application)
        stage.app = create_app(application)
        # Streams of jobs that wait would last for minutes; without a place they are brief.
        stage.app.extensions["pigi"].streams.free = 0
        yield furnish(application), furnish(application, "Ferry Company")
    stage.app.extensions["pigi"].watcher.close()
    application.dispose()
    stores.clean(chosen)


@fuzzed.parametrize()
@settings(max_examples=EXAMPLES["owner"], deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_document_tells_whoever_is_signed_in_the_truth(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    caller = CALLERS["owner"](stage.app, *homes)
    cookies = {cookies_of.SESSION: caller.session}
    ask(case, caller, homes[0], {cookies_of.XSRF_HEADER: csrf_token(caller.session)}, cookies)


@fuzzed.parametrize()
@settings(max_examples=EXAMPLES["key"], deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_document_tells_who_has_a_key_the_truth(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    home = homes[0]
    caller = Caller(stage.app.test_client(), bearer(make_key(home.application, home.organisation)))
    ask(case, caller, home, caller.headers, {})


def ask(case: Any, caller: Caller, home: Furnished, headers: dict[str, str], cookies: dict[str, str]) -> None:
    """Well-formed cases get paths that exist and keys that are fresh: the fuzzer's own lead to 404 and 422."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        _make_real(case, caller, home)
    if case.meta is not None and _is_negated(case, ParameterLocation.HEADER):
        # A case without a valid header of its own must not be given one.
        headers, cookies = {}, {}
    answer = case.call(headers=headers, cookies=cookies)
    answer_may_refuse = [] if _code(answer) in FAULTS_OF_FORM and not _is_ruled(case) else [positive_data_acceptance]
    sent = {"headers": headers, "cookies": cookies}
    case.validate_response(answer, excluded_checks=answer_may_refuse, headers=headers, transport_kwargs=sent)


def _make_real(case: Any, caller: Caller, home: Furnished) -> None:
    route = BY_NAME[f"{case.method.upper()} {case.path}"]
    asked = ask_of(f"{route.method} {route.path}")(home, caller)
    known = {**usual(home, route.path), **asked.values}
    case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
    for name, value in {"Idempotency-Key": new_id(), "If-Match": "*"}.items():
        if name in (case.headers or {}):
            case.headers[name] = value


def _code(answer: Any) -> str:
    is_problem = "problem+json" in answer.headers.get("content-type", [""])[0]
    return str(answer.json()["code"]) if is_problem else ""


def _is_ruled(case: Any) -> bool:
    return case.method.upper() != "GET" and case.path.rpartition("/")[2] in (*RULED, *ADDRESSED)


def _is_negated(case: Any, location: ParameterLocation) -> bool:
    part = case.meta.components.get(location)
    return part is not None and part.mode.is_negative


def test_the_document_has_every_route_of_the_api(homes: tuple[Furnished, Furnished]) -> None:
    """The table of expectations is the other list of them (tests/access)."""
    document = stage.app.test_client().get(DOCUMENT).json
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    expected = {f"{row.method} {BRACED(row.path)}" for row in read() if row.path.startswith(API)}
    assert described == expected - {f"GET {DOCUMENT}"} | {"GET /healthz", "GET /readyz", "GET /problems/{code}"}
    assert document["openapi"].startswith("3.1")
