"""The API document, held to the letter: a fuzzer compares it with what the routes really answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation

from pigi.ids import new_id
from tests.support.http import BODY, make_well
from web.app import ROUTES
from web.openapi import build

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

DOCUMENT = "/api/v1/openapi.json"
OPERATIONS = {
    "GET /healthz",
    "GET /readyz",
    "GET /problems/{code}",
    "POST /api/v1/organisations/{organisation}/generations",
    "GET /api/v1/organisations/{organisation}/generations/{generation}",
    "GET /api/v1/jobs",
    "GET /api/v1/jobs/{job}",
    "GET /api/v1/jobs/{job}/events",
    "POST /api/v1/jobs/{job}/cancel",
    "POST /api/v1/jobs/{job}/retry",
}


@pytest.fixture
def known(application: Application, client: Client, headers: dict[str, str], asking: str, own: str) -> dict[str, str]:
    """Values of path parameters that exist, in an installation that is well."""
    make_well(application)
    job = client.post(asking, json=BODY, headers=headers).json
    return {"organisation": own, "job": job["id"], "generation": job["subject_id"], "code": "not_found"}


class Stage:
    """The application that is on now: the fuzzer wants one when this module is imported."""

    app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Hand the request on."""
        return self.app(environ, start_response)


stage = Stage()
fuzzed = schemathesis.openapi.from_dict(json.loads(build(ROUTES, "http://localhost")), config=SchemathesisConfig())
fuzzed.app = stage


@fuzzed.parametrize()
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_document_tells_the_truth(case: Any, app: Flask, known: dict[str, str], headers: dict[str, str]) -> None:
    """Well-formed cases get paths that exist and keys that are fresh: the fuzzer's own lead to 404 and 422."""
    stage.app = app
    app.extensions["pigi"].streams.free = 0
    if case.meta is None or case.meta.generation.mode.is_positive:
        case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
        if "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = new_id()
    # A case without a valid header of its own must not be given one.
    bare = case.meta is not None and _is_negated(case, ParameterLocation.HEADER)
    case.call_and_validate(headers={} if bare else headers)


def _is_negated(case: Any, location: ParameterLocation) -> bool:
    part = case.meta.components.get(location)
    return part is not None and part.mode.is_negative


def test_every_operation_is_described(client: Client) -> None:
    document = client.get(DOCUMENT).json

    assert {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item} == OPERATIONS
    assert document["openapi"].startswith("3.1")
