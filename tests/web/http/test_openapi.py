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
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from pigi.application import Application
from pigi.domain.access import RULES, Action
from pigi.domain.names import NAME_LENGTH
from pigi.ids import new_id
from pigi.operations.accounts import csrf_token
from pigi.operations.credentials import passwords
from tests.access.asks import ask_of
from tests.access.callers import CALLERS, Caller, a_network
from tests.access.table import read
from tests.support.chance import many, searching
from tests.support.furnished import VARIABLE, furnish, usual
from tests.support.http import bearer, make_well
from tests.support.people import leave, make_key
from web.app import ROUTES, create_app
from web.http.auth import SESSION, XSRF_HEADER
from web.http.openapi import build
from web.http.replies import API
from web.http.texts import EMAIL_PATTERN, NAME_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.factories import Stores
    from tests.support.furnished import Furnished
    from web.http.routes import Route

BRACED = partial(VARIABLE.sub, r"{\1}")
JOBS = f"{API}/jobs"
"""Whoever has a key may leave its organisation out; the document can't say that others may not."""
USED_UP = {
    "ticket",
    "ticket_number",
    "token",
    "generation",
    "job",
    "invitation",
    "key",
    "account",
    "hold",
    "receipt",
    "request",
    "session",
    "control",
}
"""What is made anew for each request; the rest of an organisation can be asked for again and again."""
ENDING = {Action.ORGANISATION_DELETE, Action.ORGANISATION_RESTORE, Action.CONFIGURATION_DELETE}
"""What is asked of what can be spared."""
SEED: dict[str, Any] = {} if searching() else {"seed": 1}
DOCUMENT = "/api/v1/openapi.json"
EXAMPLES, CONTENTS = many(8), many(25)
"""Requests of each operation that chance makes, beside those that follow from its schema; more where none do."""
FAULTS_OF_FORM = frozenset(
    {
        "malformed_request", "malformed_body", "idempotency_key_malformed", "invalid", "media_type_unsupported",
        "body_too_large", "method_not_allowed",
    }
)  # fmt: skip
"""What a request that the document calls good must not be refused with. Any other refusal is for what there is."""
MANY_CASES = (f"{API}/tickets", f"{API}/operate/privacy-requests", f"{API}/jobs")


def _address_of(length: int) -> str:
    labels = "f" * 64 + "@" + "a" * 63 + "." + "b" * 63
    return f"{labels}.{'c' * (length - len(labels) - 1)}"


WELL_FORMED = {
    NAME_PATTERN: ["Ferry Company", "Ж", "Æß", "日" * (NAME_LENGTH - 1), "n" * NAME_LENGTH],
    EMAIL_PATTERN: ["ferry+office@sub.example.org", *(_address_of(length) for length in (253, 254))],
}
"""Good values of the lengths that the fuzzer looks at; to draw one from such a pattern takes it seconds."""
CARRIERS = (ParameterLocation.HEADER, ParameterLocation.COOKIE)
RULED = ("agents", "mcp-servers", "documents", "settings", "{resource}")
ADDRESSED = ("accounts", "session", "me", "password-resets", "tickets", "invitations", "accept", "confirmation")
"""Ends of paths whose bodies must also hold to rules that no schema can say: the linter's, and those of addresses."""


schemathesis.serializer.alias("application/zip", "application/octet-stream")


class Stage:
    """The application that is on now: the fuzzer wants one when this module is imported."""

    app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Hand the request on, from a network of its own, so that no throttle sums them up.

        Plain, since without a network between the fuzzer reads what comes as it is.
        """
        own = {"REMOTE_ADDR": a_network(), "HTTP_ACCEPT_ENCODING": "identity"}
        return self.app(environ | own, start_response)


stage = Stage()


def _by_chance(route: Route) -> bool:
    """Whether its path is left to chance; the methods of a path are looked at together."""
    return route.path in MANY_CASES or any(
        other.path == route.path and other.most_bytes is not None for other in ROUTES
    )


def _with_examples(node: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, read by `json.loads`, with values that it is told to be good."""
    known = WELL_FORMED.get(str(node.get("pattern")))
    return {**node, "examples": known} if known else node


def schema(routes: Iterable[Route], **phases: dict[str, bool]) -> Any:
    """The document of some routes, as the fuzzer reads it."""
    config = SchemathesisConfig.from_dict({"phases": phases, **SEED})
    document = json.loads(build(list(routes), "http://localhost"), object_hook=_with_examples)
    made = schemathesis.openapi.from_dict(document, config=config)
    made.app = stage
    return made


# Cases that follow from a schema without chance are derived while tests are collected, by each worker. Those of the
# contents of resources, and of `MANY_CASES`, are thousands and take a minute, so for these chance must do.
by_chance = {"coverage": {"enabled": False}}
for_people = schema(route for route in ROUTES if not _by_chance(route))
with_content = schema((route for route in ROUTES if _by_chance(route)), **by_chance)
for_keys = schema((route for route in ROUTES if isinstance(route.who, Action) and RULES[route.who].scopes), **by_chance)
BY_NAME = {f"{route.method} {BRACED(route.path)}": route for route in ROUTES if route.documented}


@pytest.fixture(scope="module")
def homes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Furnished, Furnished]]:
    """An installation on the engine that the test names, with two organisations. Nothing guards its passwords."""
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


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)
@for_people.parametrize()
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_the_document_tells_whoever_is_signed_in_the_truth(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    _ask_as_owner(case, homes)


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)
@with_content.parametrize()
@settings(max_examples=CONTENTS, suppress_health_check=list(HealthCheck))
def test_the_document_tells_the_truth_about_resources(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    _ask_as_owner(case, homes)


def _ask_as_owner(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    """By an owner of its own, who leaves afterwards: each act is told to all owners there are."""
    caller = CALLERS["owner"](stage.app, *homes)
    ask(case, caller, homes[0], {XSRF_HEADER: csrf_token(caller.session)}, {SESSION: caller.session})
    leave(homes[0].application, homes[0].organisation, caller.account)


@pytest.mark.parametrize("homes", ["postgresql"], indirect=True)
@for_keys.parametrize()
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_the_document_tells_who_has_a_key_the_truth(case: Any, homes: tuple[Furnished, Furnished]) -> None:
    home = homes[0]
    caller = Caller(stage.app.test_client(), bearer(make_key(home.application, home.organisation)))
    ask(case, caller, home, caller.headers, {})


def ask(case: Any, caller: Caller, home: Furnished, headers: dict[str, str], cookies: dict[str, str]) -> None:
    """Well-formed cases get paths that exist and keys that are fresh: the fuzzer's own lead to 404 and 422."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        _make_real(case, caller, home)
    if case.meta is not None and any(_is_negated(case, place) for place in CARRIERS):
        # A case without a valid header or cookie of its own must not be given one.
        headers, cookies = {}, {}
    if case.path == "/readyz":
        make_well(home.application)
    answer = case.call(headers=headers, cookies=cookies)
    # That nobody gets in without either is asked of every route in tests/access; of cookies the check knows too little.
    excluded = [ignored_auth] if cookies else []
    if _code(answer) not in FAULTS_OF_FORM or _is_ruled(case):
        excluded.append(positive_data_acceptance)
    if _code(answer) == "body_too_large":
        # A flawed body that is also too large is refused for its size, which the check does not count as a refusal.
        excluded.append(negative_data_rejection)
    sent = {"headers": headers, "cookies": cookies}
    case.validate_response(answer, excluded_checks=excluded, headers=headers, transport_kwargs=sent)


def _make_real(case: Any, caller: Caller, home: Furnished) -> None:
    route = BY_NAME[f"{case.method.upper()} {case.path}"]
    known = usual(home, route.path)
    if USED_UP & set(VARIABLE.findall(route.path)) or route.who in ENDING:
        known |= ask_of(f"{route.method} {route.path}")(home, caller).values
    case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
    if case.path == JOBS and caller.account:
        case.query = {**(case.query or {}), "organisation": home.organisation}
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


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)
def test_the_document_has_every_route_of_the_api(homes: tuple[Furnished, Furnished]) -> None:
    """The table of expectations is the other list of them (tests/access)."""
    document = stage.app.test_client().get(DOCUMENT).json
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    expected = {f"{row.method} {BRACED(row.path)}" for row in read() if row.path.startswith(API)}
    besides = {"GET /healthz", "GET /readyz", "GET /problems/{code}", "GET /.well-known/pigi-keys.json"}
    besides |= {"GET /.well-known/privacy-evidence.json", "GET /.well-known/security.txt"}
    assert described == expected - {f"GET {DOCUMENT}"} | besides
    assert document["openapi"].startswith("3.1")
