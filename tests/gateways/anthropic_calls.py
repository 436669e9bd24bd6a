"""Calls of the real SDK against a server that fails on demand, with markers in all that must not be seen."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pigi.domain.instructions import INSTRUCTIONS
from pigi.domain.resources import json_schema
from pigi.errors import PigiError
from pigi.gateways.anthropic_model import AnthropicModel, CallLimits
from pigi.ports import DraftAnswer, DraftRequest
from standins.anthropic.faults import FaultyAnthropic

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "test-key-marker-7781"
NAME = "Reviewer name-marker-7782"
PURPOSE = "Review changes. purpose-marker-7783 <b>"
MARKERS = (KEY, "name-marker-7782", "purpose-marker-7783")
LIMITS = CallLimits(connect=1.0, read=0.3, overall=5.0, max_tokens=4000)


def draft_request(kind: str = "agent", **changes: Any) -> DraftRequest:
    fixed = {"instruction": INSTRUCTIONS[kind].text, "schema": json_schema(kind), "name": NAME, "purpose": PURPOSE}
    return DraftRequest(**fixed | changes)


@contextmanager
def serve(*script: Any, limits: CallLimits = LIMITS) -> Iterator[tuple[AnthropicModel, FaultyAnthropic]]:
    with FaultyAnthropic(script) as server:
        model = AnthropicModel(server.url, KEY, "claude-sonnet-5-5", limits)
        try:
            yield model, server
        finally:
            model.close()


def ignore(_text: str) -> None:
    pass


def nothing() -> None:
    """A check that has no objection."""


def outcome_of(
    behaviour: Any, limits: CallLimits = LIMITS, request: DraftRequest | None = None
) -> DraftAnswer | PigiError:
    with serve(behaviour, limits=limits) as (model, _server):
        try:
            return model.write_draft(request or draft_request(), ignore, nothing)
        except PigiError as error:
            return error


def failure_of(behaviour: Any, limits: CallLimits = LIMITS) -> PigiError:
    outcome = outcome_of(behaviour, limits)
    assert isinstance(outcome, PigiError)
    return outcome


def assert_shows_nothing(error: BaseException) -> None:
    """No marker in the traceback, in what it is chained to, in its state, or in the locals of Pigi's frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error.args) + repr(vars(error))
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "/tests/" not in frame.f_code.co_filename]
    assert all("/pigi/" in frame.f_code.co_filename for frame in frames)
    shown += "".join(repr(value) for frame in frames for value in frame.f_locals.values())
    assert not [marker for marker in MARKERS if marker in shown]
