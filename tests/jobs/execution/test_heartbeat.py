"""The lease heartbeat: what it learns is about the job that it was sent for, and nobody waits for it."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import event

from pigi.jobs.execution import heartbeat as module
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.model.claim import Cancelled, JobInterrupt, LeaseLost
from pigi.jobs.recovery.pump import rescue
from tests.support.jobs import ask, change, effects, lapse, row_of, take


@pytest.fixture
def heartbeat(control, application):
    return LeaseHeartbeat(control, lambda: False, application.notifier)


def interrupted(act, step, interruption):
    """Run ``act`` with an interruption before the line ``step`` of the heartbeat's module; whether it got so far."""
    lines = count(1)
    reached = False

    def trace(frame, what, _details):
        nonlocal reached
        if frame.f_code.co_filename != module.__file__:
            return None
        if what == "line" and next(lines) == step:
            reached = True
            sys.settrace(None)
            interruption()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return reached


@pytest.mark.parametrize("fate", ["lost", "cancelled"])
def test_the_next_job_inherits_nothing_of_a_heartbeat_that_was_under_way(control, trial, heartbeat, fate):
    first, second = (take(control, trial, ask(control, trial)) for _ in range(2))
    if fate == "cancelled":
        change(control, first.job_id, cancel_requested_at=timedelta(0))
    else:
        lapse(control, first.job_id)
        rescue(control)

    def go_on():
        heartbeat.let_go()
        heartbeat.hold(second)

    for step in count(1):
        heartbeat.hold(first)
        if not interrupted(heartbeat.beat, step, go_on):
            break
        heartbeat.check()
    assert step > 3


def test_a_job_begins_and_ends_while_a_heartbeat_waits_for_the_database(control, trial, heartbeat):
    first, second = (take(control, trial, ask(control, trial)) for _ in range(2))
    asked, may_answer = threading.Event(), threading.Event()

    @event.listens_for(control.engine, "before_cursor_execute")
    def wait(*_details):
        if threading.current_thread() is beating:
            asked.set()
            may_answer.wait()

    beating = threading.Thread(target=heartbeat.beat)
    heartbeat.hold(first)
    beating.start()
    asked.wait()
    heartbeat.let_go()
    heartbeat.hold(second)
    heartbeat.check()
    may_answer.set()
    beating.join()
    event.remove(control.engine, "before_cursor_execute", wait)
    heartbeat.check()


def learned(heartbeat, kind):
    """Wait until the heartbeat's own thread has learned it."""
    while True:
        try:
            heartbeat.check()
        except JobInterrupt as stop:
            if isinstance(stop, kind):
                return


@pytest.fixture
def looking(control, application, monkeypatch):
    """A heartbeat that looks all the time, and that never beats of its own accord."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 3600.0)
    return LeaseHeartbeat(control, lambda: False, application.notifier)


def test_a_look_learns_of_a_cancel_and_extends_nothing(control, trial, looking):
    held = take(control, trial, ask(control, trial))
    before = row_of(control, held.job_id).lease_until
    looking.hold(held)
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    learned(looking, Cancelled)
    assert row_of(control, held.job_id).lease_until == before


def test_a_look_learns_that_the_lease_is_lost_and_that_outlasts_a_cancel(control, trial, looking):
    held = take(control, trial, ask(control, trial))
    looking.hold(held)
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    learned(looking, Cancelled)
    change(control, held.job_id, lease_token="another")
    learned(looking, LeaseLost)


def test_a_job_that_was_cancelled_and_is_handed_back_behind_its_back_ends(control, application, trial, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    held = take(control, trial, ask(control, trial))
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    heartbeat = LeaseHeartbeat(control, lambda: True, application.notifier)
    heartbeat.hold(held)
    learned(heartbeat, LeaseLost)
    assert (row_of(control, held.job_id).state, effects(control, held.job_id)) == ("cancelled", {})


def test_a_job_that_is_handed_back_behind_its_back_notifies_of_what_then_has_a_place(
    control, with_redis, trial, monkeypatch
):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    held = take(control, trial, ask(control, trial))
    notified = threading.Event()
    notify = with_redis.notifier.notify
    monkeypatch.setattr(with_redis.notifier, "notify", lambda found: (notify(found), notified.set()))
    heartbeat = LeaseHeartbeat(control, lambda: True, with_redis.notifier)
    heartbeat.hold(held)
    notified.wait(60)
    assert row_of(control, held.job_id).published_at is not None
    assert with_redis.notifier.queued(trial.queue) == {held.job_id}
