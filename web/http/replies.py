"""How a job, or anything else, becomes a response. `accepted` and its neighbours are the only ways to answer a job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Response, request

from pigi.domain.preconditions import read_tags
from pigi.domain.reasons import REASONS, explain
from pigi.jobs.kinds import kind_of
from web.http.packing import pack_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pigi.domain.job_state import Entry
    from pigi.jobs.model.view import EffectView, JobView
    from pigi.operations.generations import GenerationView

API = "/api/v1"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
"""RFC 9457."""


class Reply(Response):
    """A response whose body, when it is whole, goes to the server as it is and in one piece.

    Werkzeug would check and copy headers that we wrote ourselves, which costs more than writing them.

    ``packed`` is the body as `web.http.packing` packs it, where that is known.
    """

    packed: bytes | None = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """The response as WSGI wants it."""
        if self.is_sequence:
            pack_reply(self, environ, self.packed)
        if not self.is_sequence or self.status_code in BODILESS or environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, list(self.headers))
        return list(self.response)  # type: ignore[arg-type]  # Werkzeug keeps bytes here


BODILESS = frozenset({204, 304})
as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON without needless space (RFC 8259)."""


def reply(text: str, status: int = 200, media_type: str = JSON, **headers: str) -> Reply:
    """A response of text; not to be stored unless a header says otherwise. ``Retry_After=…`` sets Retry-After."""
    lines = [("Content-Type", media_type), *((name.replace("_", "-"), value) for name, value in headers.items())]
    if "Cache_Control" not in headers:
        lines.append(("Cache-Control", "no-store"))
    return Reply(text.encode("utf-8", "replace"), status, lines)


def problem(code: str, status: int, request_id: str, details: dict[str, Any]) -> Reply:
    """The problem document of a code; ``details`` are further members, never content."""
    return reply(problem_text(code, status, request_id, details), status, PROBLEM_JSON)


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


def unless_known(tag: str, text: Callable[[], str]) -> Reply:
    """200 with ``text`` and its entity tag, or 304 if the client knows it (If-None-Match)."""
    known = read_tags(request.environ.get("HTTP_IF_NONE_MATCH"))
    if known is not None and known.match_weakly(tag):
        return Reply(status=304, headers={"ETag": tag, "Cache-Control": "no-store"})
    return reply(text(), ETag=tag)


def no_content() -> Reply:
    """204: it is done, and there is nothing to show."""
    return Reply(status=204, headers={"Cache-Control": "no-store"})


def accepted(job: JobView) -> Reply:
    """202: the job was asked for and its page is where to look (RFC 9110, section 15.3.3)."""
    return accepted_text(job_text(job), job_path(job.id))


def accepted_text(text: str, location: str) -> Reply:
    """`accepted` for a job that was rendered before, as an idempotent repeat needs."""
    return reply(text, 202, Location=location, Retry_After="1")


def finished(job: JobView) -> Reply:
    """200: the job has ended while the caller waited."""
    return reply(job_text(job), Location=job_path(job.id), Content_Location=job_path(job.id))


def shown(job: JobView) -> Reply:
    """200: the job as it stands."""
    return reply(job_text(job))


def job_path(job_id: str) -> str:
    """Where a job is read."""
    return f"{API}/jobs/{job_id}"


def job_text(job: JobView) -> str:
    """A job as JSON text."""
    return as_json({**job_summary(job), "effects": [_effect(effect) for effect in job.effects]})


def job_summary(job: JobView) -> dict[str, Any]:
    """A job as the list shows it: all but its effects."""
    return {
        "id": job.id,
        "kind": job.kind,
        "organisation_id": job.organisation_id,
        "subject_id": job.subject_id,
        "state": job.state,
        "reason": job.reason,
        "explanation": _explanation_of(job),
        "requested_by": job.requested_by,
        "created_at": moment(job.created_at),
        "due_at": moment(job.due_at),
        "next_try_at": moment(job.next_try_at),
        "started_at": moment(job.started_at),
        "finished_at": moment(job.finished_at),
        "attempt": job.attempt,
        "failures": job.failures,
        "cancel_requested": job.cancel_requested,
        "progress": progress(job),
        "revision": job.revision,
        "buried": job.buried,
        "timeline": [entry(line) for line in job.timeline],
        "links": _links(job),
    }


def progress(job: JobView) -> dict[str, Any] | None:
    """How far a job has come, or None when it does not say."""
    if job.progress_done is None and job.progress_total is None and job.progress_note is None:
        return None
    return {"done": job.progress_done, "total": job.progress_total, "note": job.progress_note}


def entry(line: Entry) -> dict[str, Any]:
    """One line of a timeline."""
    return {"number": line.number, "at": line.at, "state": line.state, "attempt": line.attempt, "reason": line.reason}


def explanation(code: str | None) -> dict[str, str] | None:
    """What a reason's code means and what to do; None for a code that needs no words."""
    reason = REASONS.get(code or "")
    return {"title": reason.title, "advice": reason.advice} if reason else None


def _explanation_of(job: JobView) -> dict[str, str] | None:
    """`explanation` of a job's reason. One that waits to be tried again needs nobody to do anything."""
    words = explanation(job.reason)
    if words is None or job.next_try_at is None:
        return words
    return {**words, "advice": f"Nothing: it is tried again by itself, next at {job.next_try_at:%H:%M} UTC."}


def moment(at: datetime | None) -> str | None:
    """A moment in RFC 3339 form, in UTC."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def generation_text(generation: GenerationView, job: JobView | None, organisation_id: str) -> str:
    """A generation as JSON text; how its job stands, as long as there is one."""
    own = f"{API}/organisations/{organisation_id}/generations/{generation.id}"
    return as_json(
        {
            "id": generation.id,
            "organisation_id": organisation_id,
            "job_id": generation.job_id,
            "resource": generation.resource,
            "name": generation.name,
            "state": job.state if job else None,
            "reason": job.reason if job else None,
            "explanation": _explanation_of(job) if job else None,
            "next_try_at": moment(job.next_try_at) if job else None,
            "draft": generation.draft,
            "findings": list(generation.findings),
            "instruction": generation.instruction,
            "model": generation.model,
            "input_tokens": generation.input_tokens,
            "output_tokens": generation.output_tokens,
            "created_at": moment(generation.created_at),
            "drafted_at": moment(generation.drafted_at),
            "links": {"job": job_path(generation.job_id), "accept": f"{own}/accept", "discard": f"{own}/discard"},
        }
    )


def _effect(effect: EffectView) -> dict[str, Any]:
    return {
        "key": effect.key,
        "state": effect.state,
        "policy": effect.policy,
        "tries": effect.tries,
        "reference": effect.reference,
        "intended_at": moment(effect.intended_at),
        "settled_at": moment(effect.settled_at),
    }


def _links(job: JobView) -> dict[str, str | None]:
    own = job_path(job.id)
    return {
        "self": own,
        "events": f"{own}/events",
        "cancel": f"{own}/cancel",
        "retry": f"{own}/retry",
        "result": _result(job),
        **_deletion(job),
    }


def _deletion(job: JobView) -> dict[str, str]:
    if job.receipt_id is None:
        return {}
    return {
        "deletion": f"{API}/organisations/{job.subject_id}/deletion",
        "receipt": f"{API}/receipts/{job.receipt_id}",
    }


def _result(job: JobView) -> str | None:
    kind = kind_of(job.kind)
    made = kind.path(kind.result, job.subject_id)
    whose = f"organisations/{job.organisation_id}" if job.organisation_id else "me"
    return f"{API}/{whose}/{made}" if made else None
