"""From a failure to its problem document: one table of statuses, and what each sort of exception becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from pigi.domain.reasons import explain
from pigi.errors import PigiError, Refused, Temporary
from pigi.flaws import bounded
from web.http import logs
from web.http.context import FACTS
from web.http.replies import problem
from web.http.sought import nothing_found, sought

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from web.http.context import RequestFacts
    from web.http.replies import Reply

MACHINES = ("/api/", "/static/", "/healthz", "/readyz", "/.well-known/")
STATUS: dict[str, int] = {
    "malformed_request": 400,
    "headers_too_large": 431,
    "request_too_slow": 408,
    "malformed_body": 400,
    "webhook_refused": 400,
    "idempotency_key_malformed": 400,
    "unauthenticated": 401,
    "wrong_credentials": 401,
    "second_factor_needed": 401,
    "plan_limit": 402,
    "organisation_closed": 403,
    "processing_restricted": 403,
    "processing_objected": 403,
    "request_received_unfit": 422,
    "attestation_period": 422,
    "request_over": 409,
    "request_extended": 409,
    "ticket_over": 409,
    "forbidden": 403,
    "confirmation_required": 403,
    "account_deleting": 403,
    "sole_owner": 409,
    "csrf_refused": 403,
    "https_required": 403,
    "wrong_password": 403,
    "owner_needed": 403,
    "address_in_use": 409,
    "wrong_code": 403,
    "second_factor_required": 403,
    "not_for_operators": 403,
    "invitation_for_another": 403,
    "not_found": 404,
    "link_over": 404,
    "method_not_allowed": 405,
    "body_too_slow": 408,
    "export_expired": 404,
    "export_not_ready": 409,
    "export_failed": 409,
    "not_retryable": 409,
    "not_restorable": 409,
    "last_owner": 409,
    "second_factor_on": 409,
    "second_factor_off": 409,
    "already_member": 409,
    "hold_needs_another": 409,
    "hold_over": 409,
    "key_over": 409,
    "key_rotated": 409,
    "too_many_keys": 409,
    "name_taken": 409,
    "archived": 409,
    "too_many_kept": 409,
    "not_archived": 409,
    "configuration_held": 409,
    "too_many_projects": 409,
    "too_many_resources": 409,
    "draft_not_ready": 409,
    "draft_gone": 409,
    "already_subscribed": 409,
    "billing_no_customer": 409,
    "plan_granted": 409,
    "billing_off": 409,
    "too_many_imports": 409,
    "import_not_ready": 409,
    "import_over": 409,
    "import_under_way": 409,
    "precondition_failed": 412,
    "idempotency_undecided": 409,
    "body_too_large": 413,
    "import_too_large": 413,
    "media_type_unsupported": 415,
    "range_unsatisfiable": 416,
    "invalid": 422,
    "secret_found": 422,
    "draft_has_errors": 422,
    "hold_class_unfit": 422,
    "hold_reason_unfit": 422,
    "hold_review_unfit": 422,
    "password_weak": 422,
    "purpose_required": 422,
    "reason_required": 422,
    "idempotency_key_reused": 422,
    "precondition_required": 428,
    "too_many_at_once": 429,
    "too_many_downloads": 429,
    "too_many_in_flight": 429,
    "too_many_privacy_requests": 429,
    "too_many_tries": 429,
    "too_many_today": 429,
    "uploads_busy": 429,
    "internal": 500,
    "unavailable": 503,
    "not_ready": 503,
}
"""The status of each code that a request can be refused with."""

RETRY_AFTER_SECONDS: dict[str, int] = {
    "idempotency_undecided": 1,
    "too_many_downloads": 30,
    "uploads_busy": 30,
    "unavailable": 5,
    "not_ready": 5,
}
"""When to come back, where the refusal itself does not say."""

OF_HTTP: dict[int, str] = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_unsupported",
}
"""Codes for what Flask refuses by itself; anything else that is the client's doing is a malformed request."""


def install(app: Flask, page: Callable[..., Reply]) -> None:
    """Make every failure of a request a problem document, or for a person's browser a ``page`` that says the same."""
    app.extensions["failure_page"] = page
    handlers: dict[type[Exception], Callable[[Any], Reply]] = {
        PigiError: of_pigi,
        HTTPException: of_http,
        DBAPIError: of_database,
        PoolTimeoutError: of_database,
        Exception: of_anything,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, handler)


def of_pigi(error: PigiError) -> Reply:
    """A refusal as the table has it; any other error of Pigi's is no fault of the request."""
    if isinstance(error, Temporary):
        return _unavailable(error)
    if not isinstance(error, Refused) or error.code not in STATUS:
        return of_anything(error)
    details: dict[str, Any] = dict(error.details)
    if error.code == "not_found":
        details["detail"] = _not_found(str(details.pop("sought", "")))
    if isinstance(details.get("errors"), list):
        details["errors"] = [_bounded(one) for one in details["errors"]]
    headers = {}
    seconds = details.pop("retry_after", RETRY_AFTER_SECONDS.get(error.code))
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    if STATUS[error.code] == STATUS["unauthenticated"]:
        headers["WWW-Authenticate"] = 'Bearer realm="pigi"'
    return _problem(error.code, details, headers)


def _bounded(flaw: dict[str, Any]) -> dict[str, Any]:
    """Whoever names a place, names in it may be what a client chose: neither long, nor unseen, nor a secret."""
    return {name: bounded(value) if name in {"pointer", "slot"} else value for name, value in flaw.items()}


def of_http(error: HTTPException) -> Reply:
    """What Flask and Werkzeug refuse, without their words, which may echo the request."""
    status = error.code or 500
    if status >= STATUS["internal"]:
        return of_anything(error)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    code = OF_HTTP.get(status, "malformed_request")
    details = {}
    if code == "not_found":
        details["detail"] = _not_found()
    elif code == "body_too_large" and (most := request.max_content_length):
        size = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        details["detail"] = f"Send at most {size} here."
    return _problem(code, details, headers)


def of_database(error: Exception) -> Reply:
    """503 when the database is away or too busy; a statement that is wrong is Pigi's fault: 500."""
    away = isinstance(error, OperationalError | PoolTimeoutError) or getattr(error, "connection_invalidated", False)
    return _unavailable(error) if away else of_anything(error)


def of_anything(error: Exception) -> Reply:
    """500 with the request's id and nothing else; the log has the places in the code, never the values."""
    logs.failure(_facts(), error)
    return _problem("internal", {}, {})


def _unavailable(error: Exception) -> Reply:
    logs.failure(_facts(), error)
    return _problem("unavailable", {}, {"Retry-After": str(RETRY_AFTER_SECONDS["unavailable"])})


def _not_found(what: str = "") -> str:
    """What was looked for, by the operation's words or else by the address, and what to do."""
    return f"{nothing_found(what or sought())} {explain('not_found').advice}"


def _problem(code: str, details: dict[str, Any], headers: dict[str, str]) -> Reply:
    page: Callable[..., Reply] = current_app.extensions["failure_page"]
    if wants_page():
        answer = page(code, STATUS[code], _facts().request_id, headers.get("Retry-After"), details.get("detail"))
    else:
        answer = problem(code, STATUS[code], _facts().request_id, details)
    answer.headers.extend(headers)
    return answer


def _facts() -> RequestFacts:
    facts: RequestFacts = request.environ[FACTS]
    return facts


def wants_page() -> bool:
    """Whether a person is looking: not at an address for machines, and with a browser, which asks for HTML by name."""
    return not request.path.startswith(MACHINES) and "text/html" in request.headers.get("Accept", "")
