"""What the model provider may do, met by a real worker: each outcome ends in a clear state, and erases the purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from standins.anthropic.faults import cut, draft, max_tokens, ok, refusal, silent, stall, status, text
from tests.support.anthropic_faults import error_event
from tests.support.sinks import asked_of, requests_by_name, stored_of

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from tests.support.stack import Stack

BUSY = {"retry-after": "1"}
PLANS = {
    "refusal": ((refusal(),), ("failed", "refused"), 1),
    "token limit": ((max_tokens(),), ("failed", "draft_too_long"), 1),
    "busy, then well": ((status(429, BUSY), ok()), ("succeeded", None), 2),
    "busy for an hour": ((status(429, {"retry-after": "3600"}),), ("failed", "provider_busy"), 1),
    "overloaded thrice": ((*[status(529)] * 3, ok()), ("succeeded", None), 4),
    "overloaded in the stream": ((error_event("overloaded_error"), ok()), ("succeeded", None), 2),
    "cut": ((cut(8), ok()), ("succeeded", None), 2),
    "cut politely": ((cut(8, politely=True), ok()), ("succeeded", None), 2),
    "malformed twice": ((text("no"), text("{}")), ("failed", "malformed"), 2),
    "wrong schema, then well": ((text('{"name": 7}'), ok()), ("succeeded", None), 2),
    "broken rule, then well": ((draft(description="Use it.\nTwice.", name="a b"), ok()), ("succeeded", None), 2),
    "bad request": ((status(400),), ("failed", "provider_rejected"), 1),
    "no account": ((status(401),), ("failed", "provider_unavailable"), 1),
    "no credit": ((status(402),), ("failed", "provider_credit"), 1),
    "nothing written": ((text(""),), ("failed", "answer_empty"), 1),
}
STALLS = {
    "stalled": ((stall(8), ok()), ("succeeded", None), 2),
    "silent": ((silent(), ok()), ("succeeded", None), 2),
}
"""A stall is told only after 30 s of silence, so these run on SQLite only."""


@pytest.fixture(scope="module")
def outcomes(shared_stack: Stack, engine: str) -> dict[str, JobView]:
    """Every plan carried out, together; the finished jobs by name."""
    shared_stack.mend()
    plans = {**STALLS, **PLANS} if engine == "sqlite" else PLANS
    for name, (behaviours, _end, _asked) in plans.items():
        shared_stack.model.plan(name, *behaviours)
    organisation = shared_stack.another_organisation()
    jobs = [shared_stack.post(name, f"Purpose of {name}.", organisation) for name in plans]
    views = shared_stack.wait(jobs, 100)
    return {stored_name(shared_stack, view): view for view in views}


def stored_name(stack: Stack, view: JobView) -> str:
    stored = stored_of(stack, view)
    assert stored is not None
    return stored.name


@pytest.mark.parametrize("name", [*PLANS, *STALLS])
def test_each_outcome_ends_clearly_and_erases_the_purpose(
    shared_stack: Stack, outcomes: dict[str, JobView], engine: str, name: str
) -> None:
    if name in STALLS and engine != "sqlite":
        pytest.skip("slow: on SQLite only")
    _behaviours, (state, reason), asked = {**PLANS, **STALLS}[name]
    view = outcomes[name]
    assert (view.state, view.reason) == (state, reason), view.timeline
    assert requests_by_name(shared_stack.model)[name] == asked
    stored = stored_of(shared_stack, view)
    assert stored is not None
    assert (stored.purpose, stored.answer, stored.pieces) == (False, False, 0)
    assert stored.draft is (state == "succeeded")
    assert "intended" not in {effect.state for effect in view.effects}


def test_a_wait_of_an_hour_is_not_waited_for(outcomes: dict[str, JobView]) -> None:
    view = outcomes["busy for an hour"]
    assert view.finished_at is not None
    assert view.started_at is not None
    assert (view.finished_at - view.started_at).total_seconds() < 60


def test_only_the_name_the_purpose_and_fixed_words_leave(shared_stack: Stack, outcomes: dict[str, JobView]) -> None:
    allowed = {"model", "messages", "max_tokens", "system", "output_config", "stream"}
    headers = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
               "authorization", "anthropic-version"}  # fmt: skip
    identifying = {view.id for view in outcomes.values()} | {view.subject_id for view in outcomes.values()}
    identifying |= {view.organisation_id for view in outcomes.values()}
    systems = set()
    assert shared_stack.model.requests
    for request in shared_stack.model.requests:
        body = json.loads(request.body)
        name, purpose = asked_of(request)
        assert set(body) <= allowed
        assert set(request.headers) <= headers
        assert request.headers["user-agent"] == "pigi"
        assert body["messages"][0] == {"role": "user", "content": f"<name>{name}</name>\n<purpose>{purpose}</purpose>"}
        assert not any(one and one in request.body.decode() + json.dumps(dict(request.headers)) for one in identifying)
        systems.add(body["system"])
    assert len(systems) == 1
