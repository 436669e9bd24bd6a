"""A worker that sleeps past its lease and wakes: it changes nothing, whatever it wakes to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from pigi.operations.generations import read_generation
from standins.faulty_anthropic import draft, status, text
from tests.support.sinks import check_books, drafts_in, requests_by_name, stored_of
from tests.support.stack import Hold, until

if TYPE_CHECKING:
    from tests.support.stack import Stack


def overtake(stack: Stack, name: str, first: Hold, second: Hold) -> str:
    """Stop the child in its first attempt, let another begin the second, then wake the first; the job's id."""
    stack.model.plan(name, first, second)
    job = stack.post(name)
    sleeper = stack.child_of(first.wait())
    sleeper.suspend()
    stack.lapse(job)
    second.wait()
    before = stack.job(job)
    assert before.attempt == 2
    first.release()
    sleeper.resume()
    until(lambda: not holds(sleeper, first), 20, "the sleeper is through with its request")
    after = stack.job(job)
    assert (after.state, after.attempt, after.timeline) == ("running", 2, before.timeline)
    return job


def holds(child: psutil.Process, held: Hold) -> bool:
    """Whether the child still has the connection on which its request was held."""
    with suppress(psutil.Error):
        found = [connection.laddr.port for connection in child.net_connections("tcp") if connection.laddr]
        return held.port in found
    return False


def test_the_draft_is_the_second_attempts(stack: Stack) -> None:
    first, second = Hold(), Hold(then=draft(description="Use it; written by the second attempt."))
    job = overtake(stack, "sleeper", first, second)
    second.release()
    views = stack.wait([job])
    check_books(stack, views, kills={"sleeper": 1})
    shown = read_generation(stack.application, stack.organisation, views[0].subject_id or "")
    assert shown.draft is not None
    assert shown.draft["description"] == "Use it; written by the second attempt."
    assert drafts_in(stack, stack.organisation).count(job) == 1


def test_one_that_wakes_to_a_permanent_error_erases_nothing_that_the_second_attempt_needs(stack: Stack) -> None:
    first, second = Hold(then=status(400)), Hold(then=text("no draft at all"))
    job = overtake(stack, "rejected sleeper", first, second)
    stored = stored_of(stack, stack.job(job))
    assert stored is not None
    assert stored.purpose
    second.release()
    view = stack.wait([job])[0]
    assert (view.state, view.reason) == ("succeeded", None)
    assert requests_by_name(stack.model)["rejected sleeper"] == 3
