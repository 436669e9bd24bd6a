"""The API document (OpenAPI 3.1), made from the route declarations and the models, so that it cannot drift."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from pigi.domain.access import RULES, Action
from pigi.domain.reasons import explain
from pigi.operations.credentials import TOKEN_PATTERN
from web.http import schemas
from web.http.auth import SESSION, XSRF_HEADER
from web.http.errors import RETRY_AFTER_SECONDS, STATUS
from web.http.idempotency import KEY_PATTERN
from web.http.replies import API, JSON, PROBLEM_JSON, Reply, as_json
from web.http.requests import EXAMPLES_PATTERN
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydantic import BaseModel

    from web.http.context import RequestContext

VERSION = "3.1.0"
TEXT = {"type": "string"}

PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "Makes repeating safe for 24 hours: the same request with the same key acts once and gets "
        "the same answer. 1 to 255 printable ASCII characters.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_PATTERN},
    },
    "Prefer": {
        "description": "`wait=N` (RFC 7240): answer 200 with the finished job if it ends within N seconds, at most 30. "
        "A preference that cannot be read is ignored.",
        "schema": TEXT,
    },
    "Last-Event-ID": {
        "description": "The `id` of the last event received; the stream goes on after it. Ids that the job never gave "
        "start from the beginning.",
        "schema": TEXT,
    },
    "If-Match": {
        "description": "The ETag of the revision that the change is based on, a list of them, or `*` (RFC 9110). "
        "Without it the answer is 428; if none matches, 412. Weak tags never match.",
        "schema": TEXT,
    },
    "Pigi-Examples": {
        "description": "Values in the body that look like secrets and are examples, by the `example` of each error "
        "of a refusal with `secret_found`, comma-separated. They are kept, and the revision says so.",
        "schema": {"type": "string", "pattern": EXAMPLES_PATTERN},
    },
    "Stripe-Signature": {
        "description": "`t=…,v1=…`: when it was signed, and the HMAC-SHA256 of that and the body, as Stripe makes it.",
        "required": True,
        "schema": TEXT,
    },
    "Range": {
        "description": "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT` (RFC 9110, section 14): that part (206). "
        "Several ranges, and what cannot be read, are answered with the whole file.",
        "schema": TEXT,
    },
    "If-Range": {
        "description": "The file's ETag: the range is answered only if it is still that file, else all of it.",
        "schema": TEXT,
    },
    "If-None-Match": {"description": "ETags that the client knows: one that matches is answered 304.", "schema": TEXT},
}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names the request in logs; a well-formed one that was sent is kept.",
        "schema": TEXT,
    },
    "Location": {"description": "The path of the job, or of what was made.", "schema": TEXT},
    "ETag": {"description": "Names the revision; send it as If-Match with a change.", "schema": TEXT},
    "Accept-Ranges": {"description": "`bytes`: parts of the file can be asked for.", "schema": TEXT},
    "Content-Range": {"description": "Which part of the file this is, and how large all of it is.", "schema": TEXT},
    "Content-Disposition": {"description": "The name to save the file under.", "schema": TEXT},
    "Content-Location": {"description": "The job's path.", "schema": TEXT},
    "Retry-After": {"description": "Seconds after which to come back.", "schema": {"type": "integer", "minimum": 0}},
    "Idempotency-Replayed": {"description": "`true` when the answer is that of an earlier request.", "schema": TEXT},
    "Preference-Applied": {"description": "The preference that was honoured.", "schema": TEXT},
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": TEXT},
    "Set-Cookie": {"description": "The two cookies of the session: see `securitySchemes`.", "schema": TEXT},
}

_BODY = ("malformed_body", "body_too_slow", "body_too_large", "media_type_unsupported", "invalid", "unavailable")
_KEYED = ("idempotency_key_malformed", "idempotency_key_reused", "idempotency_undecided")

OF_KIND: dict[RouteKind, tuple[str, ...]] = {
    RouteKind.PAGE: (),
    RouteKind.READ: ("unavailable",),
    RouteKind.JOB: (*_BODY, *_KEYED),
    RouteKind.WRITE: (*_BODY, *_KEYED),
    RouteKind.PUBLIC_WRITE: _BODY,
    RouteKind.WEBHOOK: ("body_too_slow", "body_too_large", "unavailable"),
}
"""Codes that every route of a kind may refuse with."""

ACCEPTED_BY: dict[RouteKind, tuple[str, ...]] = {
    RouteKind.JOB: ("Idempotency-Key", "Prefer"),
    RouteKind.WRITE: ("Idempotency-Key",),
}
WITH_RETRY_AFTER = frozenset(
    {*RETRY_AFTER_SECONDS, "too_many_in_flight", "too_many_privacy_requests", "too_many_today", "too_many_tries"}
)

IN_PATH: dict[str, dict[str, Any]] = {
    "code": TEXT,
    "token": {"type": "string", "pattern": TOKEN_PATTERN},
    "number": {"type": "integer", "minimum": 1},
    "ticket_number": TEXT,
}

_BYTES = {"type": "string", "format": "binary"}
_FILE: dict[str, Any] = {
    "application/json": {},
    "application/zip": {"schema": _BYTES},
    "application/octet-stream": {"schema": _BYTES},
    "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _BYTES}, "required": ["file"]}},
}
"""A file as a body: of any of these types, or in a form."""

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


def build(routes: Sequence[Route], server: str) -> str:
    """The document as JSON text."""
    documented = [route for route in routes if route.documented]
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for route in documented:
        paths[_VARIABLE.sub(r"{\1}", route.path)][route.method.lower()] = _operation(route)
    document = {
        "openapi": VERSION,
        "info": {
            "title": "Pigi",
            "version": "1",
            "description": "Whatever takes time is a job: it is answered at once with 202 and a job to follow. "
            "Any request may be refused before its operation sees it, with a problem document: 400 "
            "`malformed_request`, 408 `request_too_slow` or `body_too_slow`, 413 `body_too_large`, 429 "
            "`too_many_at_once` and 503 `unavailable` with Retry-After, 431 `headers_too_large`.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": _schemas(documented),
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An organisation's API key, `pigi_…`."},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION},
                "xsrf": {"type": "apiKey", "in": "header", "name": XSRF_HEADER},
            },
        },
    }
    return as_json(document)


def route_of(document: Callable[[], tuple[bytes, bytes]]) -> Route:
    """The route that serves a finished document, plain and packed, which is asked for at each request.

    It is large, and anybody may ask for it: whoever reads it slowly waits for the same bytes as all others.
    """

    def api_document(_context: RequestContext) -> Reply:
        plain, packed = document()
        headers = {"Content-Type": JSON, "Cache-Control": "public, max-age=300"}
        answer = Reply(plain, headers=headers)
        answer.packed = packed
        return answer

    answer = ResponseSpec(200, "The document", media_types=("application/json",))
    return Route("GET", f"{API}/openapi.json", api_document, Who.ANYONE, RouteKind.PAGE, "This document", (answer,))


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.endpoint,
        "summary": route.summary,
        "tags": [route.path.removeprefix(API).strip("/").split("/")[0] or "pages"],
        "parameters": _parameters(route),
        "responses": {**_responses(route.responses), **_problems(route)},
    }
    if route.notes or route.view.__doc__:
        operation["description"] = " ".join(filter(None, (route.view.__doc__, route.notes)))
    if route.who is not Who.ANYONE:
        operation["security"] = _security(route)
    if route.body is not None:
        required = any(field.is_required() for field in route.body.model_fields.values())
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": _ref(route.body)}}}
    if route.takes_file:
        operation["requestBody"] = {"required": True, "content": _FILE}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    """A browser's session, with its CSRF token if something changes; or a key, where one may."""
    session: dict[str, list[str]] = {"session": []}
    if route.method != "GET":
        session["xsrf"] = []
    may = route.who is Who.KNOWN or (isinstance(route.who, Action) and RULES[route.who].scopes)
    return [{"apiKey": []}, session] if may else [session]


def _parameters(route: Route) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": _of_path(name)}
        for name in _VARIABLE.findall(route.path)
    ]
    in_query = [{"name": name, "in": "query", **parameter} for name, parameter in route.query.items()]
    names = (*ACCEPTED_BY.get(route.kind, ()), *route.accepts)
    return [*in_path, *in_query, *({"name": name, "in": "header", **PARAMETERS[name]} for name in names)]


def _of_path(name: str) -> dict[str, Any]:
    """The schema of a part of a path, by its name; anything else is an id."""
    return IN_PATH.get(name, {"type": "string", "format": "uuid", "pattern": ID_PATTERN})


def _responses(specs: Iterable[ResponseSpec]) -> dict[str, Any]:
    return {str(spec.status): _response(spec) for spec in specs}


def _response(spec: ResponseSpec) -> dict[str, Any]:
    content = {name: {"schema": _ref(spec.model)} if spec.model and "json" in name else {} for name in spec.media_types}
    described = {"description": spec.description, "headers": _headers("X-Request-ID", *spec.headers)}
    return {**described, "content": content} if content else described


def _problems(route: Route) -> dict[str, Any]:
    """What the route may refuse with, by status."""
    codes = [*route.problems, *OF_KIND[route.kind], "internal", *_of_callers(route)]
    if route.method != "GET":
        codes.append("csrf_refused")
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[STATUS[code]].append(code)
    # A plan limits jobs and changes of configuration by the day, and the rest until something makes room.
    daily = route.kind is RouteKind.JOB or route.who is Action.CONFIGURATION_WRITE
    passing = WITH_RETRY_AFTER | {"plan_limit"} if daily else WITH_RETRY_AFTER
    return {str(status): _problem(codes, passing) for status, codes in sorted(by_status.items())}


def _of_callers(route: Route) -> list[str]:
    """What callers are refused with for who they are."""
    if route.who is Who.ANYONE:
        return []
    inside = isinstance(route.who, Action)
    found = {
        "account_deleting": not route.for_deleted,
        "second_factor_required": inside or not route.without_factor,
        "confirmation_required": route.confirmed,
        "unauthenticated": True,
        "forbidden": inside or route.who is Who.PERSON,
        "not_found": inside or route.who is Who.OPERATOR,
    }
    return [code for code, may in found.items() if may]


def _problem(codes: list[str], passing: frozenset[str]) -> dict[str, Any]:
    names = ["X-Request-ID"]
    names += ["Retry-After"] if passing.issuperset(codes) else []
    names += ["WWW-Authenticate"] if STATUS[codes[0]] == STATUS["unauthenticated"] else []
    return {
        "description": " ".join(f"`{code}`: {explain(code).title}" for code in codes),
        "headers": _headers(*names),
        "content": {PROBLEM_JSON: {"schema": _ref(schemas.Problem)}},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: HEADERS[name] for name in names}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    """Every model that a route takes, answers or refuses with, and what those are made of."""
    models: dict[type[BaseModel], Any] = {schemas.Problem: "validation"}
    for route in routes:
        found = (route.body, *(spec.model for spec in route.responses))
        models.update({model: "validation" for model in found if model is not None})
    _, definitions = models_json_schema(list(models.items()), ref_template="#/components/schemas/{model}")
    return dict(definitions["$defs"])
