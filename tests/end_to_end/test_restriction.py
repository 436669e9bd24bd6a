"""A restriction met by a real worker: what it is at work on ends before its next effect, and nothing of it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import Caller, Person, Role
from pigi.domain.privacy_requests import Right
from pigi.errors import Refused
from pigi.operations.generations import request_generation
from pigi.operations.privacy_requests import make_request, withdraw_request
from standins.anthropic.faults import ok, text
from tests.support.people import make_member
from tests.support.sinks import requests_by_name, stored_of
from tests.support.stack import Hold

if TYPE_CHECKING:
    from tests.support.stack import Stack


def test_a_draft_ends_before_its_next_call_once_whoever_asked_restricts_processing(stack: Stack) -> None:
    organisation = stack.another_organisation()
    person = Person(make_member(stack.application, organisation, Role.MEMBER), "")
    caller = Caller(organisation, Role.MEMBER, person.account_id)

    def ask(name: str) -> str:
        return request_generation(stack.application, caller, "agent", name, "Keeps to the harbour.").id

    # The first answer is none that can be used, so the worker would ask once more.
    hold = Hold(then=text("no"))
    stack.model.plan("restricted", hold, ok())
    running = ask("restricted")
    hold.wait()
    request_id = make_request(stack.application, person, Right.RESTRICTION)
    with pytest.raises(Refused, match="processing_restricted"):
        ask("refused")
    hold.release()
    (view,) = stack.wait([running])
    assert (view.state, view.reason) == ("cancelled", "processing_restricted")
    assert requests_by_name(stack.model)["restricted"] == 1
    assert {effect.key: effect.state for effect in view.effects} == {"model:1": "done"}
    assert stored_of(stack, view) is None
    withdraw_request(stack.application, person, request_id)
    (again,) = stack.wait([ask("again")])
    assert again.state == "succeeded"
