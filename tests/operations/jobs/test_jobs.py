"""Jobs as people see them: reading, cancelling, retrying by hand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs import effects as ledger
from pigi.jobs.execution import claims as settle
from pigi.jobs.execution import cleanup
from pigi.jobs.execution.cleanup import clean_up_ended, lease_failed
from pigi.jobs.kinds import CATALOGUE, GENERATE_DRAFT, MIGRATE_ORGANISATION
from pigi.jobs.model.claim import LeaseLost
from pigi.jobs.recovery.pump import pump
from pigi.operations.generations import clean_up, request_generation, restore_purpose
from pigi.operations.generations.generations import remove_generation
from pigi.operations.jobs import BY_KEYS, BY_PIGI, cancel_job, count_by_state, list_jobs, read_job, retry_job, revisions
from pigi.operations.retention.jobs import job_sweeps
from pigi.operations.retention.removal import Removal
from tests.support.jobs import (
    ask,
    caller_of,
    change,
    ended_job,
    finish,
    generation_row,
    impatient,
    raise_epoch,
    register_organisation,
    row_of,
    story,
    take,
)

KIND = MIGRATE_ORGANISATION


@pytest.fixture
def one(control):
    return register_organisation(control)


def put(control, organisation, state):
    """A job that came to ``state``, running or ended."""
    held = take(control, KIND, ask(control, KIND, organisation))
    if state is not JobState.RUNNING:
        finish(control, held, state, None, None)
    return held.job_id


def failed_generation(application, organisation):
    job = request_generation(application, caller_of(organisation), "agent", "reviewer", "Reviews changes.")
    held = take(application.control, GENERATE_DRAFT, job.id)
    finish(application.control, held, JobState.FAILED, "refused", now() + timedelta(days=7))
    return job


def buried(control, organisation):
    job = put(control, organisation, JobState.SUCCEEDED)
    change(control, job, finished_at=timedelta(days=-31))
    with control.autocommit() as connection:
        (sweep,) = job_sweeps(connection, now())
    assert Removal(control, sweep, now()).batch() == 1
    return job


def refused(act, *arguments):
    with pytest.raises(Refused) as error:
        act(*arguments)
    return error.value.code


def test_a_job_is_read_with_its_effects(application, control, one):
    held = take(control, KIND, ask(control, KIND, one))
    ledger.begin(control, held, "schema")
    assert [effect.key for effect in read_job(application, held.job_id, one).effects] == ["schema"]


def test_another_organisations_job_is_as_if_it_were_not(application, control, one):
    job, other = ask(control, KIND, one), register_organisation(control)
    for act in (read_job, cancel_job):
        assert refused(act, application, job, other) == "not_found"
    assert refused(retry_job, application, put(control, one, JobState.FAILED), other, None) == "not_found"
    assert row_of(control, job).state == "queued"


@pytest.mark.parametrize("job", ["rubbish", "", "01a20a0f-0354-7729-8929-8ef5774dcd49"])
def test_a_job_that_is_not_there_is_not_found(application, one, job):
    assert refused(read_job, application, job, one) == "not_found"


def test_a_removed_job_is_read_from_its_tombstone(application, control, one):
    job = buried(control, one)
    view = read_job(application, job, one)
    assert (view.state, view.buried, view.timeline) == ("succeeded", True, ())
    assert refused(read_job, application, job, register_organisation(control)) == "not_found"


def test_jobs_are_listed_newest_first_page_by_page(application, control, one):
    jobs = [ask(control, KIND, one) for _ in range(5)]
    ask(control, KIND, register_organisation(control))
    first = [view.id for view in list_jobs(application, one, limit=3)]
    rest = [view.id for view in list_jobs(application, one, before=first[-1])]
    assert first + rest == sorted(jobs, reverse=True)
    assert list_jobs(application, one, state="failed") == list_jobs(application, one, kind="mail.probe") == []


def test_a_reader_goes_back_the_way_that_they_came(application, control, one):
    jobs = sorted(ask(control, KIND, one) for _ in range(7))
    for ordered, oldest in ((jobs, True), (jobs[::-1], False)):
        page = list_jobs(application, one, limit=2, before=ordered[3], oldest_first=oldest)
        assert [view.id for view in page] == ordered[4:6]
        back = list_jobs(application, one, limit=2, after=ordered[4], oldest_first=oldest)
        assert [view.id for view in back] == ordered[2:4]


def test_jobs_are_found_by_who_requested_them_and_when(application, control, one):
    person, key = f"account:{new_id()}", f"api-key:{new_id()}"
    mine, theirs, own = sorted(ask(control, GENERATE_DRAFT, one) for _ in range(3))
    change(control, mine, requested_by=person)
    change(control, theirs, requested_by=key)

    def found(**wanted):
        return [view.id for view in list_jobs(application, one, oldest_first=True, **wanted)]

    assert found(requested_by=person) == [mine]
    assert found(requested_by=key) == found(requested_by=BY_KEYS) == [theirs]
    assert found(requested_by=BY_PIGI) == [own]
    assert found(since=now() - timedelta(minutes=5), until=now() + timedelta(minutes=5)) == [mine, theirs, own]
    assert found(since=now() + timedelta(minutes=5)) == found(until=now() - timedelta(minutes=5)) == []
    assert read_job(application, mine, one).requested_by == person


def test_housekeeping_is_left_out_unless_it_is_asked_for(application, control, one):
    update, draft = ask(control, KIND, one), ask(control, GENERATE_DRAFT, one)
    assert [view.id for view in list_jobs(application, one, housekeeping=False)] == [draft]
    assert [view.id for view in list_jobs(application, one, housekeeping=False, kind=KIND.name)] == [update]
    put(control, one, JobState.FAILED)
    assert count_by_state(application, one, housekeeping=False) == {"queued": 1}
    assert count_by_state(application, one) == {"queued": 2, "failed": 1}
    assert count_by_state(application, register_organisation(control)) == {}
    assert not any(kind.is_housekeeping for kind in CATALOGUE.values() if kind.metered or kind.restore)


def test_revisions_tell_of_many_jobs_at_once(application, control, one):
    job = put(control, one, JobState.RUNNING)
    assert revisions(application, [job, new_id()]) == {job: (2, "running")}
    assert revisions(application, []) == {}


def test_a_waiting_job_is_cancelled_now(application, control, one):
    job = ask(control, KIND, one)
    assert cancel_job(application, job, one).state == "cancelled"
    assert story(control, job) == ["queued", "cancelled"]


def test_a_retrying_job_is_cancelled_now_and_says_what_had_happened(application, control, one):
    held = take(control, KIND, ask(control, KIND, one))
    ledger.begin(control, held, "schema")
    ledger.complete(control, held, "schema", "0001")
    settle.retry(control, held, "stalled", timedelta(minutes=1))
    told = cancel_job(application, held.job_id, one)
    assert (told.state, [(effect.key, effect.state) for effect in told.effects]) == ("cancelled", [("schema", "done")])


def test_a_running_job_is_asked_to_stop_once(application, control, one):
    job = put(control, one, JobState.RUNNING)
    first, second = (cancel_job(application, job, one) for _ in range(2))
    assert (first.state, first.cancel_requested, first.revision) == ("running", True, second.revision)


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_cancelling_an_ended_job_leaves_it_as_it_is(application, control, one, state):
    job = put(control, one, state)
    before = row_of(control, job)
    assert cancel_job(application, job, one).state == state
    assert row_of(control, job) == before


def test_cancelling_a_removed_job_answers_with_its_tombstone(application, control, one):
    job = buried(control, one)
    assert cancel_job(application, job, one).buried


def test_a_cancel_meets_a_job_that_goes_from_running_to_retrying_just_then(application, control, one):
    held = take(control, KIND, ask(control, KIND, one))

    def retry_meanwhile(_connection, _cursor, statement, *_rest):
        if statement.startswith("UPDATE") and "cancel_requested_at=" in statement:
            with suppress(OperationalError):
                settle.retry(other, held, "stalled", timedelta(minutes=1))

    with impatient(application.settings.database_url) as other:
        event.listen(control.engine, "before_cursor_execute", retry_meanwhile)
        told = cancel_job(application, held.job_id, one)
        event.remove(control.engine, "before_cursor_execute", retry_meanwhile)
    assert told.state == "cancelled" or told.cancel_requested


def test_what_is_added_to_the_cancel_is_of_one_transaction_with_it(application, control, one):
    job = ask(control, KIND, one)

    def fail(_session, _view):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cancel_job(application, job, one, fail)
    assert row_of(control, job).state == "queued"


def test_a_failed_job_is_retried_as_the_same_job_with_its_effects(application, control, one):
    held = take(control, KIND, ask(control, KIND, one))
    ledger.begin(control, held, "schema")
    ledger.complete(control, held, "schema", "0001")
    finish(control, held, JobState.FAILED, "internal", None)
    told = retry_job(application, held.job_id, one, None)
    assert (told.id, told.state, told.failures, told.finished_at) == (held.job_id, "queued", 0, None)
    assert [effect.state for effect in told.effects] == ["done"]
    assert ledger.begin(control, take(control, KIND, held.job_id), "schema").settled


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED, JobState.CANCELLED])
def test_only_a_failed_job_is_retried(application, control, one, state):
    job = put(control, one, state)
    before = row_of(control, job)
    assert refused(retry_job, application, job, one, None) == "not_retryable"
    assert row_of(control, job) == before


def test_a_removed_job_is_not_retried(application, control, one):
    assert refused(retry_job, application, buried(control, one), one, None) == "not_retryable"


def test_a_generation_is_not_retried_without_its_purpose(application, control, organisation):
    job = failed_generation(application, organisation)
    assert refused(retry_job, application, job.id, organisation, None) == "purpose_required"
    assert row_of(control, job.id).state == "failed"


def test_a_retry_that_is_refused_leaves_no_purpose_behind(application, control, organisation):
    job = failed_generation(application, organisation)
    clean_up(application, ended_job(organisation, job.subject_id, JobState.FAILED, now()))
    raise_epoch(control, organisation)
    assert refused(retry_job, application, job.id, organisation, "Another purpose.") == "not_retryable"
    assert generation_row(application, organisation, job.subject_id).purpose is None


def test_a_retry_whose_transaction_fails_leaves_no_purpose_behind(application, organisation):
    job = failed_generation(application, organisation)

    def fail(_session, _view):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        retry_job(application, job.id, organisation, "Another purpose.", fail)
    assert generation_row(application, organisation, job.subject_id).purpose is None


def test_a_generation_whose_name_is_gone_is_not_retried(application, control, organisation):
    job = failed_generation(application, organisation)
    remove_generation(application.tenants, organisation, job.subject_id)
    assert refused(retry_job, application, job.id, organisation, "Another purpose.") == "not_retryable"
    assert row_of(control, job.id).state == "failed"


def interrupted(monkeypatch, act):
    """Have ``act`` done at the moment at which a retry of a generation is about to write to the tenant; once."""
    meanwhile = [act]

    def restore(*facts):
        if meanwhile:
            meanwhile.pop()()
        restore_purpose(*facts)

    monkeypatch.setitem(CATALOGUE, GENERATE_DRAFT.name, replace(GENERATE_DRAFT, restore=restore))


def purpose_of(application, organisation, job):
    with application.tenants.read(organisation) as tenant:
        row = generation_row(application, organisation, job.subject_id)
        return None if row.purpose is None else tenant.sealer.open(row.purpose, "generation", "purpose", row.id)


def test_a_retry_holds_no_lock_of_the_control_database_while_the_tenant_is_written(
    application, organisation, monkeypatch
):
    job = failed_generation(application, organisation)
    with impatient(application.settings.database_url) as other:
        interrupted(monkeypatch, lambda: change(other, job.id, progress_note="written"))
        assert retry_job(application, job.id, organisation, "Another purpose.").state == "queued"


def test_of_two_retries_at_once_the_second_is_refused_and_the_firsts_purpose_is_kept(
    application, organisation, monkeypatch
):
    job, found = failed_generation(application, organisation), []
    with impatient(application.settings.database_url) as other:
        elsewhere = replace(application, control=other)
        second = lambda: found.append(refused(retry_job, elsewhere, job.id, organisation, "The second's."))
        interrupted(monkeypatch, second)
        assert retry_job(application, job.id, organisation, "The first's.").state == "queued"
    assert found == ["not_retryable"]
    assert purpose_of(application, organisation, job) == "The first's."


def test_a_retry_that_was_overtaken_writes_nothing(application, control, organisation, monkeypatch):
    job = failed_generation(application, organisation)

    def overtake():
        change(control, job.id, cleanup_at=timedelta(seconds=-1))
        retry_job(application, job.id, organisation, "The second's.")

    interrupted(monkeypatch, overtake)
    assert refused(retry_job, application, job.id, organisation, "The first's.") == "not_retryable"
    assert row_of(control, job.id).state == "queued"
    assert purpose_of(application, organisation, job) == "The second's."


def test_no_retry_comes_between_a_cleanup_and_its_end(application, control, organisation, monkeypatch):
    job, found = failed_generation(application, organisation), []

    def meanwhile(*facts):
        found.append(refused(retry_job, application, job.id, organisation, "Another purpose."))
        return clean_up(*facts)

    change(control, job.id, cleanup_at=timedelta(seconds=-1))
    clean_up_ended(replace(GENERATE_DRAFT, cleanup=meanwhile), application, control, job.id)
    assert found == ["not_retryable"]
    assert retry_job(application, job.id, organisation, "Another purpose.").state == "queued"
    assert purpose_of(application, organisation, job) == "Another purpose."


def test_a_cleanup_that_wakes_after_a_retry_leaves_the_new_purpose(application, control, organisation, monkeypatch):
    job = failed_generation(application, organisation)
    monkeypatch.setattr(cleanup, "HEARTBEAT_SECONDS", 3600.0)

    def sleep_through_the_retry(*facts):
        change(control, job.id, cleanup_at=timedelta(seconds=-1))
        retry_job(application, job.id, organisation, "Another purpose.")
        return clean_up(*facts)

    change(control, job.id, cleanup_at=timedelta(seconds=-1))
    clean_up_ended(replace(GENERATE_DRAFT, cleanup=sleep_through_the_retry), application, control, job.id)
    assert row_of(control, job.id).state == "queued"
    assert purpose_of(application, organisation, job) == "Another purpose."


def test_a_retry_forgets_the_lease_of_the_last_attempt(application, control, one):
    held = take(control, KIND, ask(control, KIND, one))
    finish(control, held, JobState.FAILED, "internal", None)
    retry_job(application, held.job_id, one, None)
    assert row_of(control, held.job_id).lease_token is None
    with pytest.raises(LeaseLost):
        ledger.complete(control, held, "schema", None)


def test_a_retry_that_died_leaves_its_purpose_to_the_pump(with_redis, redis_server, control, organisation):
    job = failed_generation(with_redis, organisation)
    redis_server.client.flushall()
    held = lease_failed(control, job.id, timedelta(minutes=1))
    restore_purpose(with_redis, held.job(lambda: None), "Another purpose.")
    assert pump(control, with_redis.notifier).cleanups == 0
    change(control, held.job_id, cleanup_at=timedelta(seconds=-1))
    assert pump(control, with_redis.notifier).cleanups == 1
    clean_up_ended(GENERATE_DRAFT, with_redis, control, job.id)
    assert purpose_of(with_redis, organisation, job) is None
    assert retry_job(with_redis, job.id, organisation, "A third purpose.").state == "queued"
