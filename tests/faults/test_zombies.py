"""A worker that sleeps past its lease and wakes: it changes nothing, whatever it wakes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.generations import read_generation
from standins.anthropic.faults import draft, status, text
from tests.support.sinks import check_books, drafts_in, requests_by_name, stored_of
from tests.support.stack import Hold
from tests.support.stack_fixtures import CHILDREN

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
    crowd_every_child(stack, name)
    after = stack.job(job)
    assert (after.state, after.attempt, after.timeline) == ("running", 2, before.timeline)
    return job


def crowd_every_child(stack: Stack, name: str) -> None:
    """Give all other children a job each: once each has one, the sleeper is through with its first."""
    crowd = stack.another_organisation()
    names = [f"{name}, crowd {number}" for number in range(CHILDREN - 1)]
    holds = [stack.model.hold(one) for one in names]
    jobs = [stack.post(one, organisation=crowd) for one in names]
    for held in holds:
        held.wait()
    for held in holds:
        held.release()
    check_books(stack, stack.wait(jobs))


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
