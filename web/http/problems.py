"""Problem documents (RFC 9457)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.reasons import explain
from web.http.replies import as_json, reply

if TYPE_CHECKING:
    from web.http.replies import Reply

MEDIA_TYPE = "application/problem+json"


def problem(code: str, status: int, request_id: str, details: dict[str, Any]) -> Reply:
    """The problem document of a code; ``details`` are further members, never content."""
    return reply(problem_text(code, status, request_id, details), status, MEDIA_TYPE)


def problem_text(code: str, status: int, request_id: str, details: dict[str, Any]) -> str:
    """`problem` as text."""
    reason = explain(code)
    return as_json(
        {
            "type": f"/problems/{code}",
            "title": reason.title,
            "status": status,
            "detail": reason.advice,
            "instance": request_id,
            "code": code,
            **details,
        }
    )
