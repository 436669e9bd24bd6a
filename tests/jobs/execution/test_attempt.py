"""One attempt, and what becomes of it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.errors import Permanent, Refused, Temporary
from pigi.jobs.execution import attempt, claims
from pigi.jobs.execution.attempt import run
from pigi.jobs.kind import Delivery
from pigi.jobs.kinds import CATALOGUE, MIGRATE_ORGANISATION, PROBES
from pigi.jobs.queues import QUEUES
from pigi.jobs.recovery.rescue import rescue
from pigi.operations.jobs import cancel_job
from pigi.store.engines import TRY_SECONDS
from pigi.store.sessions import ControlDatabase
from tests.support.jobs import (
    MARKER,
    ask,
    change,
    does_nothing,
    effects,
    handle,
    lapse,
    make_worker_context,
    raise_epoch,
    register_organisation,
    row_of,
    story,
    take,
)
from tests.support.waits import lock_milliseconds


def do(worker_context, kind, body, organisation=None):
    """Enqueue a job of ``kind`` and handle its notification once with ``body``; its row."""
    job = ask(worker_context.application.control, kind, organisation)
    run(handle(kind, body), job, worker_context)
    return row_of(worker_context.application.control, job)


def raising(error):
    def body(_context, _worker_context):
        raise error

    return body


def test_a_body_that_returns_makes_the_job_succeed(worker_context, trial):
    row = do(worker_context, trial, does_nothing)
    assert (row.state, row.reason, row.cleanup_at, row.lease_until) == ("succeeded", None, None, None)


def test_five_notifications_run_the_body_once(worker_context, control, trial):
    ran = []
    job = ask(control, trial)
    for _ in range(5):
        run(handle(trial, lambda context, _worker_context: ran.append(context.job.job_id)), job, worker_context)
    assert ran == [job]
    assert story(control, job) == ["queued", "running", "succeeded"]


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_notification_for_an_ended_job_does_nothing(worker_context, control, trial, state):
    job = ask(control, trial)
    change(control, job, state=state, finished_at=timedelta(0))
    before = row_of(control, job)
    run(handle(trial, raising(AssertionError("the body ran"))), job, worker_context)
    assert row_of(control, job) == before


def test_a_notification_for_a_job_that_is_gone_does_nothing(worker_context, trial):
    run(handle(trial, raising(AssertionError("the body ran"))), "gone", worker_context)


def test_a_notification_for_a_job_that_runs_elsewhere_does_nothing(worker_context, control, trial):
    job = ask(control, trial)
    take(control, trial, job)
    before = row_of(control, job)
    run(handle(trial, raising(AssertionError("the body ran"))), job, worker_context)
    assert row_of(control, job) == before


@pytest.mark.parametrize("error", [Permanent("malformed"), Refused("malformed")])
def test_a_permanent_failure_ends_the_job_with_its_code(worker_context, trial, error):
    row = do(worker_context, trial, raising(error))
    assert (row.state, row.reason, row.failures, row.attempt) == ("failed", "malformed", 0, 1)


def test_a_temporary_failure_has_the_job_tried_again_later(worker_context, trial):
    row = do(worker_context, trial, raising(Temporary("stalled")))
    assert (row.state, row.reason, row.failures, row.published_at) == ("retrying", "stalled", 1, None)
    assert timedelta(0) < row.due_at - row.started_at < timedelta(seconds=3)


@pytest.mark.parametrize(("asked", "least", "most"), [(0, 0, 2), (-5, 0, 2), (30, 30, 33)])
def test_a_providers_wait_is_honoured_with_a_little_spread(worker_context, trial, asked, least, most):
    row = do(worker_context, trial, raising(Temporary("provider_busy", timedelta(seconds=asked))))
    assert row.state == "retrying"
    assert least <= (row.due_at - row.started_at).total_seconds() <= most


@pytest.mark.parametrize(
    "error",
    [Temporary("provider_busy", timedelta(seconds=1)), OperationalError("", {}, Exception()), RuntimeError()],
    ids=["busy", "database", "bug"],
)
def test_a_kinds_own_wait_is_never_shortened(worker_context, trial, error):
    patient = replace(trial, wait=lambda failures: timedelta(minutes=10 + failures))
    row = do(worker_context, patient, raising(error))
    assert row.state == "retrying"
    assert row.due_at - row.started_at >= timedelta(minutes=10)


@pytest.mark.parametrize("asked", [timedelta(minutes=15), timedelta(days=1)], ids=str)
def test_a_wait_beyond_the_deadline_ends_the_job(worker_context, trial, asked):
    row = do(worker_context, trial, raising(Temporary("provider_busy", asked)))
    assert (row.state, row.reason) == ("failed", "provider_busy")


def test_attempts_that_are_used_up_end_the_job(worker_context, control, trial):
    job = ask(control, trial)
    for _ in range(trial.attempts):
        change(control, job, due_at=timedelta(seconds=-1))
        run(handle(trial, raising(Temporary("stalled"))), job, worker_context)
    assert (row_of(control, job).state, row_of(control, job).attempt) == ("failed", trial.attempts)
    assert story(control, job)[-2:] == ["running", "failed"]


def test_what_a_kind_has_patience_for_uses_up_no_attempts(worker_context, control, trial):
    patient = replace(trial, patience={"provider_busy": lambda failures: timedelta(minutes=1 + failures)})
    job = ask(control, patient)
    for _ in range(trial.attempts + 2):
        change(control, job, due_at=timedelta(seconds=-1))
        run(handle(patient, raising(Temporary("provider_busy"))), job, worker_context)
    row = row_of(control, job)
    assert (row.state, row.failures) == ("retrying", trial.attempts + 2)
    change(control, job, due_at=timedelta(seconds=-1), deadline_at=timedelta(minutes=1))
    run(handle(patient, raising(Temporary("provider_busy"))), job, worker_context)
    assert (row_of(control, job).state, row_of(control, job).reason) == ("failed", "provider_busy")


def test_a_job_past_its_deadline_is_not_tried_again(worker_context, control, trial):
    job = ask(control, trial)
    change(control, job, deadline_at=timedelta(0))
    run(handle(trial, raising(Temporary("stalled"))), job, worker_context)
    assert row_of(control, job).state == "failed"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ZeroDivisionError(MARKER), "internal"),
        (SoftTimeLimitExceeded(MARKER), "timed_out"),
        (MemoryError(), "internal"),
    ],
    ids=["bug", "time limit", "memory"],
)
def test_whatever_else_is_raised_is_tried_again_under_a_fixed_code(worker_context, trial, error, reason):
    row = do(worker_context, trial, raising(error))
    assert (row.state, row.reason) == ("retrying", reason)


def test_a_database_that_is_away_has_the_job_tried_again(worker_context, trial):
    row = do(worker_context, trial, raising(OperationalError(MARKER, {}, ConnectionError(MARKER))))
    assert (row.state, row.reason, row.failures) == ("retrying", "database_away", 1)


def test_a_statement_that_the_database_refuses_does_not_end_the_worker(worker_context, trial):
    def body(context, _worker_context):
        with context.control.autocommit() as connection:
            connection.execute(text("SELECT :marker FROM no_such_table"), {"marker": MARKER})

    assert do(worker_context, trial, body).state == "retrying"


def test_the_text_of_an_error_reaches_neither_log_nor_row(worker_context, trial, caplog, capsys):
    def body(_context, _worker_context):
        try:
            int(MARKER)
        except ValueError as error:
            raise KeyError(MARKER) from error

    with caplog.at_level(logging.DEBUG):
        row = do(worker_context, trial, body)
    written = caplog.text + "".join(capsys.readouterr()) + "".join(str(record.__dict__) for record in caplog.records)
    assert "KeyError" in written
    assert MARKER not in written + str(row)


def test_a_fence_before_the_start_cancels_without_effect(worker_context, control):
    organisation = register_organisation(control)
    job = ask(control, MIGRATE_ORGANISATION, organisation)
    raise_epoch(control, organisation)
    run(handle(MIGRATE_ORGANISATION, raising(AssertionError("the body ran"))), job, worker_context)
    assert (row_of(control, job).state, row_of(control, job).reason) == ("cancelled", "fenced")
    assert effects(control, job) == {}


def test_a_fence_between_effects_stops_at_the_next(worker_context, control):
    organisation = register_organisation(control)

    def body(context, _worker_context):
        context.begin_effect("schema:1")
        raise_epoch(control, organisation)
        context.complete_effect("schema:1", None)
        context.begin_effect("schema:2")
        raise AssertionError("an effect was had behind the fence")

    row = do(worker_context, MIGRATE_ORGANISATION, body, organisation)
    assert (row.state, row.reason) == ("cancelled", "fenced")
    assert {key: effect.state for key, effect in effects(control, row.id).items()} == {"schema:1": "done"}


def test_a_cancel_between_effects_stops_at_the_next(worker_context, trial):
    application = worker_context.application

    def body(context, _worker_context):
        context.begin_effect("least")
        context.complete_effect("least", None)
        told = cancel_job(application, context.job.job_id, None)
        assert (told.state, told.cancel_requested, told.effects[0].state) == ("running", True, "done")
        context.begin_effect("exact")

    row = do(worker_context, trial, body)
    assert (row.state, row.reason) == ("cancelled", "cancelled")
    assert list(effects(application.control, row.id)) == ["least"]


def test_a_cancel_between_steps_stops_at_the_next_look(worker_context, trial):
    def body(context, _worker_context):
        cancel_job(worker_context.application, context.job.job_id, None)
        context.checkpoint_now()

    assert do(worker_context, trial, body).state == "cancelled"


def test_a_body_that_ends_before_it_learns_of_a_cancel_succeeds(worker_context, trial):
    row = do(
        worker_context,
        trial,
        lambda context, _worker_context: cancel_job(worker_context.application, context.job.job_id, None),
    )
    assert (row.state, row.cancel_requested_at is not None) == ("succeeded", True)


LEAVING = {
    "retry": (Temporary("stalled"), False),
    "bug": (ZeroDivisionError(), False),
    "hand back": (None, True),
}


@pytest.mark.parametrize("way", LEAVING)
def test_a_job_that_was_cancelled_meanwhile_ends_instead_of_waiting_to_be_tried_again(
    application, control, cleanup_trial, way
):
    error, draining = LEAVING[way]
    cleaned = []
    kind = replace(cleanup_trial, effects={"least": Delivery.AT_LEAST})

    def body(context, _worker_context):
        context.begin_effect("least")
        cancel_job(application, context.job.job_id, None)
        if error is not None:
            raise error
        context.checkpoint()

    organisation = register_organisation(control)
    jobs = [ask(control, kind, organisation, subject_id="s") for _ in range(QUEUES[kind.queue].concurrency + 1)]
    handler = handle(kind, body, lambda _application, ended: cleaned.append((ended.subject_id, ended.state)))
    with declared(handler.kind):
        run(handler, jobs[0], make_worker_context(application, draining=lambda: draining))
    row = row_of(control, jobs[0])
    assert (row.state, row.reason, row.published_at, row.cleanup_at) == ("cancelled", "cancelled", None, None)
    assert row.finished_at is not None
    assert cleaned == [("s", "cancelled")]
    assert effects(control, row.id)["least"].state == "unknown"
    assert row_of(control, jobs[-1]).published_at is not None


@contextmanager
def declared(kind):
    """The catalogue with this kind."""
    before = CATALOGUE.get(kind.name)
    CATALOGUE[kind.name] = kind
    try:
        yield
    finally:
        CATALOGUE[kind.name] = before


def test_a_worker_that_exits_over_a_cancelled_job_ends_it_and_leaves_its_cleanup_due(
    worker_context, control, cleanup_trial
):
    def body(context, _worker_context):
        cancel_job(worker_context.application, context.job.job_id, None)
        raise SystemExit(0)

    job = ask(control, cleanup_trial, register_organisation(control), subject_id="subject")
    with pytest.raises(SystemExit):
        run(handle(cleanup_trial, body), job, worker_context)
    row = row_of(control, job)
    assert (row.state, row.reason) == ("cancelled", "cancelled")
    assert row.cleanup_at <= now()


def test_a_permanent_failure_stays_a_failure_though_somebody_cancelled(worker_context, trial):
    def body(context, _worker_context):
        cancel_job(worker_context.application, context.job.job_id, None)
        raise Permanent("refused")

    assert do(worker_context, trial, body).state == "failed"


def test_a_stopping_worker_hands_back_at_the_next_checkpoint(application, trial):
    worker_context = make_worker_context(application, draining=lambda: True)
    row = do(worker_context, trial, lambda context, _worker_context: context.checkpoint())
    assert (row.state, row.reason, row.failures, row.published_at) == ("retrying", "handed_back", 0, row.published_at)
    assert row.due_at <= now()


def test_a_worker_that_exits_hands_back_first(worker_context, control, trial):
    job = ask(control, trial)
    with pytest.raises(SystemExit):
        run(handle(trial, raising(SystemExit(0))), job, worker_context)
    assert (row_of(control, job).state, row_of(control, job).reason) == ("retrying", "handed_back")


def after_the_first(monkeypatch, error, name="finish_and_claim"):
    """Have ``error`` come right after the first of these writes was committed."""
    real, errors = getattr(claims, name), [error]

    def interrupted(*arguments):
        answer = real(*arguments)
        if errors:
            raise errors.pop()
        return answer

    monkeypatch.setattr(claims, name, interrupted)


def before_the_first(monkeypatch, error, name):
    """Have ``error`` come right before the first of these writes is begun."""
    real, errors = getattr(claims, name), [error]

    def interrupted(*arguments):
        if errors:
            raise errors.pop()
        return real(*arguments)

    monkeypatch.setattr(claims, name, interrupted)


@pytest.mark.parametrize("when", [before_the_first, after_the_first])
def test_a_time_limit_that_strikes_while_the_end_is_written_loses_no_end(
    worker_context, control, trial, monkeypatch, when
):
    job = ask(control, trial)
    when(monkeypatch, SoftTimeLimitExceeded(), "finish_and_claim")
    run(handle(trial, does_nothing), job, worker_context)
    assert row_of(control, job).state == "succeeded"


def test_a_time_limit_that_strikes_while_a_retry_is_written_loses_no_retry(worker_context, control, trial, monkeypatch):
    job = ask(control, trial)
    before_the_first(monkeypatch, SoftTimeLimitExceeded(), "retry")
    run(handle(trial, raising(Temporary("provider_busy"))), job, worker_context)
    assert row_of(control, job).state == "retrying"


def test_a_worker_that_exits_when_it_has_claimed_the_next_job_hands_that_back(
    worker_context, control, trial, monkeypatch
):
    jobs = [ask(control, trial) for _ in range(2)]
    after_the_first(monkeypatch, SystemExit(0))
    with pytest.raises(SystemExit):
        run(handle(trial, does_nothing), jobs[0], replace(worker_context, chain_seconds=60.0))
    rows = [row_of(control, job) for job in jobs]
    assert [(row.state, row.reason) for row in rows] == [("succeeded", None), ("retrying", "handed_back")]


def taken_over(error=None):
    """A body that loses its lease to another worker and then goes on as if nothing had happened."""

    def body(context, _worker_context):
        lapse(context.control, context.job.job_id)
        rescue(context.control)
        take(context.control, CATALOGUE[context.job.kind], context.job.job_id)
        if error is not None:
            raise error

    return body


@pytest.mark.parametrize("error", [None, Permanent("refused"), Temporary("stalled"), ZeroDivisionError()], ids=repr)
def test_an_attempt_that_was_taken_over_records_nothing(worker_context, trial, error):
    row = do(worker_context, trial, taken_over(error))
    assert (row.state, row.attempt, row.failures) == ("running", 2, 0)


@pytest.mark.parametrize("error", [None, Permanent("refused")], ids=repr)
def test_an_attempt_that_was_taken_over_cleans_up_nothing(worker_context, control, cleanup_trial, error):
    cleaned = []
    handler = handle(cleanup_trial, taken_over(error), lambda *facts: cleaned.append(facts))
    job = ask(control, cleanup_trial, register_organisation(control), subject_id="subject")
    run(handler, job, worker_context)
    assert (cleaned, row_of(control, job).state) == ([], "running")


def test_the_cleanup_runs_before_the_end_is_shown(worker_context, control, cleanup_trial):
    shown = []

    def cleanup(_application, ended):
        shown.append((ended.state, row_of(control, job).state))

    job = ask(control, cleanup_trial, register_organisation(control), subject_id="subject")
    run(handle(cleanup_trial, does_nothing, cleanup), job, worker_context)
    assert shown == [(JobState.SUCCEEDED, "running")]
    assert (row_of(control, job).state, row_of(control, job).cleanup_at) == ("succeeded", None)


def test_all_steps_of_an_end_share_one_period(worker_context, control, cleanup_trial, monkeypatch):
    monkeypatch.setattr(attempt, "DATABASE_SECONDS", 0.0)
    heard, finish = [], claims.finish_and_claim

    def cleanup(*_facts):
        with control.transaction() as connection:
            heard.append(lock_milliseconds(connection))

    def finished(ledger, *arguments):
        cleanup()
        return finish(ledger, *arguments)

    monkeypatch.setattr(claims, "finish_and_claim", finished)
    job = ask(control, cleanup_trial, register_organisation(control), subject_id="subject")
    run(handle(cleanup_trial, does_nothing, cleanup), job, worker_context)
    assert heard == [1, TRY_SECONDS * 1000]
    assert row_of(control, job).state == "succeeded"


def test_a_cleanup_that_fails_stays_owed_and_its_text_out_of_the_log(worker_context, control, cleanup_trial, caplog):
    def cleanup(*_facts):
        raise ValueError(MARKER)

    job = ask(control, cleanup_trial, register_organisation(control), subject_id="subject")
    run(handle(cleanup_trial, does_nothing, cleanup), job, worker_context)
    assert row_of(control, job).state == "succeeded"
    assert row_of(control, job).cleanup_at is not None
    assert MARKER not in caplog.text


def chaining(worker_context, **others):
    return replace(worker_context, chain_seconds=60.0, **others)


def test_one_notification_leads_from_job_to_job_of_its_kind_and_each_is_done_once(worker_context, control, trial):
    ran = []
    jobs = [ask(control, trial) for _ in range(3)]
    for job in jobs:
        run(
            handle(trial, lambda context, _worker_context: ran.append(context.job.job_id)),
            job,
            chaining(worker_context),
        )
    assert ran == jobs
    assert {tuple(story(control, job)) for job in jobs} == {("queued", "running", "succeeded")}


def test_a_chain_takes_neither_what_is_not_due_nor_cancelled_nor_of_another_kind(worker_context, control, trial):
    first, cancelled, later = (ask(control, trial) for _ in range(3))
    other = ask(control, PROBES["mail"])
    change(control, cancelled, cancel_requested_at=timedelta(0))
    change(control, later, due_at=timedelta(minutes=1))
    run(handle(trial, does_nothing), first, chaining(worker_context))
    assert {row_of(control, job).state for job in (cancelled, later, other)} == {"queued"}


def test_a_stopping_worker_takes_no_further_job(worker_context, control, trial):
    first, second = (ask(control, trial) for _ in range(2))
    run(handle(trial, does_nothing), first, chaining(worker_context, draining=lambda: True))
    assert (row_of(control, first).state, row_of(control, second).state) == ("succeeded", "queued")


class Forgetful(ControlDatabase):
    """A control database whose connection breaks once, just after a commit: it happened, but nobody is told."""

    broken = False

    @contextmanager
    def transaction(self):
        with super().transaction() as connection:
            yield connection
        if not self.broken:
            self.broken = True
            raise OperationalError("", {}, ConnectionError())


@pytest.fixture
def forgetful(settings):
    database = Forgetful(settings.database_url)
    yield database
    database.dispose()


def test_what_a_finish_claimed_is_found_again_when_its_answer_was_lost(worker_context, control, trial, forgetful):
    ran = []
    first, second, third = (ask(control, trial) for _ in range(3))
    run(
        handle(trial, lambda context, _worker_context: ran.append(context.job.job_id)),
        first,
        chaining(worker_context, relaxed=forgetful),
    )
    assert ran == [first, second, third]
    assert {tuple(story(control, job)) for job in ran} == {("queued", "running", "succeeded")}


def test_what_was_taken_in_place_of_a_taken_job_is_found_again_when_the_answer_was_lost(
    worker_context, control, trial, forgetful
):
    ran = []
    first, second, third = (ask(control, trial) for _ in range(3))
    take(control, trial, first)
    run(
        handle(trial, lambda context, _worker_context: ran.append(context.job.job_id)),
        first,
        chaining(worker_context, relaxed=forgetful),
    )
    assert ran == [second, third]
    assert {tuple(story(control, job)) for job in ran} == {("queued", "running", "succeeded")}


def test_an_effect_of_an_attempt_that_outlasted_its_lease_is_not_had_again(worker_context, control, trial):
    had = []

    def body(context, _worker_context):
        if context.begin_effect("least").settled:
            return
        had.append(context.job.attempt)
        lapse(control, context.job.job_id)
        rescue(control)
        context.complete_effect("least", "reference")

    job = ask(control, trial)
    for _ in range(2):
        run(handle(trial, body), job, worker_context)
    assert (had, row_of(control, job).state, row_of(control, job).attempt) == ([1], "succeeded", 2)
    assert effects(control, job)["least"].reference == "reference"


def test_a_worker_that_was_taken_over_takes_no_further_job(worker_context, control, trial):
    first, second = (ask(control, trial) for _ in range(2))
    run(handle(trial, taken_over()), first, chaining(worker_context))
    assert row_of(control, second).state == "queued"
