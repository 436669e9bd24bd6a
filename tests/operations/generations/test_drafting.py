"""Writing a draft: turns, repairs, crashes, and what is left of the purpose afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pigi.clock import now
from pigi.domain.access import Person, Role
from pigi.domain.instructions import INSTRUCTIONS
from pigi.domain.privacy_requests import Right
from pigi.domain.resources import json_schema
from pigi.errors import Permanent, Refused, Temporary
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.cleanup import clean_up_ended
from pigi.jobs.execution.context import JobContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import GENERATE_DRAFT, MOST_LOSSES
from pigi.jobs.model.claim import LeaseLost
from pigi.jobs.recovery.rescue import rescue
from pigi.operations.generations import GENERATION, drafting, read_generation, request_generation
from pigi.operations.generations.generations import live_text, remove_generation
from pigi.operations.health import readiness
from pigi.operations.jobs import cancel_job, read_job, retry_job
from pigi.operations.privacy_requests import make_request, withdraw_request
from pigi.ports import DraftAnswer
from pigi.store.engine_cache import TenantsBusyError
from pigi.store.keyring import KeyMissingError
from tasks.generations import write_draft
from tests.support.contents import GITHUB_TOKEN
from tests.support.jobs import (
    AGENT,
    GOOD,
    MARKER,
    SECRET_INSIDE,
    Outside,
    ScriptedModel,
    caller_of,
    change,
    effects,
    generation_row,
    lapse,
    live_rows,
    make_worker_context,
    model_of,
    raise_epoch,
    row_of,
    take,
)
from tests.support.people import make_member
from tests.support.waits import lock_milliseconds

HANDLER = HANDLERS[GENERATE_DRAFT.name]
PURPOSE = f"Reviews changes for missing tests. {MARKER}"
RUBBISH = "I would rather not."


class RequestModel:
    """A requested generation, with a worker that has a script."""

    def __init__(self, application, organisation, caller=None):
        self.application, self.organisation = application, organisation
        self.caller = caller or caller_of(organisation)
        self.view = request_generation(application, self.caller, "agent", "reviewer", PURPOSE)
        self.id = self.view.id

    def work(self, *turns, model=None):
        """Handle the notification with a model that plays ``turns``, or this one; the worker's context."""
        worker_context = make_worker_context(self.application, *turns)
        if model is not None:
            worker_context = replace(worker_context, gateways=Outside(model))
        change(self.application.control, self.id, due_at=timedelta(seconds=-1))
        run(HANDLER, self.id, worker_context)
        return worker_context

    @property
    def row(self):
        return row_of(self.application.control, self.id)

    @property
    def generation(self):
        return generation_row(self.application, self.organisation, self.view.subject_id)

    @property
    def draft(self):
        return read_generation(self.application, self.organisation, self.view.subject_id)

    @property
    def effects(self):
        return {key: (effect.state, effect.tries) for key, effect in effects(self.application.control, self.id).items()}

    def holds_no_purpose(self):
        generation = self.generation
        gone = generation is None or (generation.purpose is None and generation.answer is None)
        return gone and live_rows(self.application, self.organisation) == 0


@pytest.fixture
def requested(application, organisation):
    return RequestModel(application, organisation)


def test_a_good_first_answer_becomes_the_draft(requested):
    worker_context = requested.work(GOOD)
    assert (requested.row.state, requested.draft.draft["name"], requested.draft.findings) == (
        "succeeded",
        "reviewer",
        (),
    )
    assert len(model_of(worker_context).requests) == 1
    assert requested.effects == {"model:1": ("done", 1), "draft": ("done", 1)}
    assert (requested.draft.model, requested.draft.input_tokens, requested.draft.output_tokens) == (
        "scripted-model",
        10,
        20,
    )
    assert requested.draft.instruction == INSTRUCTIONS["agent"].version


def test_a_broken_rule_leads_to_one_repair(requested):
    worker_context = requested.work(SECRET_INSIDE, GOOD)
    assert (requested.row.state, requested.draft.findings) == ("succeeded", ())
    repair = model_of(worker_context).requests[1]
    assert repair.previous == SECRET_INSIDE
    assert repair.findings
    assert (requested.draft.input_tokens, requested.draft.output_tokens) == (20, 40)


def test_a_rule_that_stays_broken_is_shown_with_the_draft(requested):
    worker_context = requested.work(SECRET_INSIDE, SECRET_INSIDE)
    assert requested.row.state == "succeeded"
    assert [finding["rule"] for finding in requested.draft.findings] == ["literal-secret"]
    assert len(model_of(worker_context).requests) == 2


def test_findings_are_shown_however_many_there_are(requested):
    many = json.dumps({**AGENT, "tools": [f"Bash({GITHUB_TOKEN}{number})" for number in range(30)]})
    requested.work(many, many)
    assert requested.row.state == "succeeded"
    assert {finding["rule"] for finding in requested.draft.findings} >= {"literal-secret"}


def test_an_answer_that_cannot_be_read_twice_fails_as_malformed(requested):
    requested.work(RUBBISH, RUBBISH)
    assert (requested.row.state, requested.row.reason, requested.generation.draft) == ("failed", "malformed", None)


def test_a_repair_that_cannot_be_read_does_not_replace_a_draft_that_can(requested):
    requested.work(SECRET_INSIDE, RUBBISH)
    assert requested.row.state == "succeeded"
    assert requested.draft.draft["instructions"] == json.loads(SECRET_INSIDE)["instructions"]


def test_an_answer_that_cannot_be_read_is_repaired_by_one_that_can(requested):
    requested.work(RUBBISH, GOOD)
    assert (requested.row.state, requested.draft.draft["name"]) == ("succeeded", "reviewer")


def test_the_draft_carries_the_requested_name(requested):
    requested.work(json.dumps({**AGENT, "name": "another"}))
    assert requested.draft.draft["name"] == "reviewer"


def test_nothing_leaves_but_instruction_schema_name_and_purpose(requested, organisation):
    request = model_of(requested.work(GOOD)).requests[0]
    assert vars(request) == {
        "instruction": INSTRUCTIONS["agent"].text,
        "schema": json_schema("agent"),
        "name": "reviewer",
        "purpose": PURPOSE,
        "previous": None,
        "findings": (),
    }
    assert organisation not in str(vars(request))
    assert PURPOSE not in repr(request)


def crash_in(requested, monkeypatch, step):
    """Have the worker die at ``step`` of the first attempt, and the pump take its job back."""

    def die(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(drafting, step, die)
        with pytest.raises(KeyboardInterrupt):
            requested.work(GOOD)
    lapse(requested.application.control, requested.id)
    assert rescue(requested.application.control) == 1


def test_after_a_crash_before_the_answer_was_stored_the_model_is_called_again(requested, monkeypatch):
    crash_in(requested, monkeypatch, "_store_answer")
    worker_context = requested.work(GOOD)
    assert len(model_of(worker_context).requests) == 1
    assert (requested.row.state, requested.effects["model:1"]) == ("succeeded", ("done", 2))


def test_after_a_crash_once_the_answer_was_stored_the_model_is_not_called_again(requested, monkeypatch):
    crash_in(requested, monkeypatch, "_keep_draft")
    worker_context = requested.work()
    assert model_of(worker_context).requests == []
    assert (requested.row.state, requested.draft.draft["name"]) == ("succeeded", "reviewer")
    assert requested.effects == {"model:1": ("done", 1), "draft": ("done", 1)}


def test_a_failure_without_any_work_of_the_model_leaves_no_effect(requested):
    requested.work(Temporary("provider_busy", timedelta(seconds=1)))
    assert (requested.row.state, requested.row.reason, requested.effects) == ("retrying", "provider_busy", {})


def test_an_overloaded_provider_is_waited_for_until_the_window_is_over(requested):
    for _ in range(8):
        requested.work(Temporary("provider_busy"))
    assert (requested.row.state, requested.row.failures) == ("retrying", 8)
    assert abs(requested.row.deadline_at - requested.row.started_at - timedelta(hours=1)) < timedelta(seconds=1)
    view = read_job(requested.application, requested.id, requested.organisation)
    assert timedelta(minutes=1) <= view.next_try_at - now() <= timedelta(minutes=2)
    cancel_job(requested.application, requested.id, requested.organisation)
    assert (requested.row.state, requested.holds_no_purpose()) == ("cancelled", True)


def test_what_may_have_been_paid_for_is_tried_a_few_times_an_hour_only():
    for code in ("stream_cut", "stalled", "provider_failed"):
        waits = [GENERATE_DRAFT.patience[code](failures) for failures in range(15)]
        assert waits[0] <= timedelta(seconds=2)
        assert sum(waits, timedelta()) > GENERATE_DRAFT.retry_window


def test_operators_see_that_the_provider_refuses_the_installation_until_it_serves_again(application, organisation):
    def provider():
        return next(check.ok for check in readiness(application).checks if check.name == "model provider")

    assert provider()
    refused = RequestModel(application, organisation)
    refused.work(Permanent("provider_credit"))
    assert (refused.row.state, refused.row.reason, refused.effects, provider()) == (
        "failed",
        "provider_credit",
        {},
        False,
    )
    served = RequestModel(application, organisation)
    served.work(Permanent("draft_too_long"))
    assert provider()
    assert served.effects == {"model:1": ("done", 1)}


def test_a_stream_that_was_cut_may_have_cost_something_and_says_so(requested):
    requested.work(Temporary("stream_cut"))
    assert requested.effects == {"model:1": ("intended", 1)}
    requested.work(GOOD)
    assert requested.effects["model:1"] == ("done", 2)


def test_the_purpose_goes_when_the_draft_is_there(requested):
    assert requested.generation.purpose is not None
    requested.work(GOOD)
    assert requested.holds_no_purpose()
    assert requested.draft.draft is not None


def test_the_purpose_goes_when_the_job_fails(requested):
    requested.work(Permanent("refused"))
    assert (requested.row.state, requested.row.reason, requested.holds_no_purpose()) == ("failed", "refused", True)
    assert requested.draft.name == "reviewer"


def test_the_purpose_stays_while_the_job_is_tried_again(requested):
    requested.work(Temporary("stalled"))
    assert requested.generation.purpose is not None


def test_all_goes_when_the_job_is_cancelled_while_it_waits(requested):
    cancel_job(requested.application, requested.id, requested.organisation)
    assert (requested.row.state, requested.row.cleanup_at, requested.generation) == ("cancelled", None, None)
    assert requested.holds_no_purpose()


def test_all_goes_when_the_job_is_cancelled_while_the_model_writes(requested):
    def cancelled():
        cancel_job(requested.application, requested.id, requested.organisation)
        return SECRET_INSIDE

    worker_context = requested.work(cancelled, GOOD)
    assert len(model_of(worker_context).requests) == 1
    assert (requested.row.state, requested.generation) == ("cancelled", None)
    assert requested.holds_no_purpose()


@pytest.fixture
def of_a_person(application, organisation):
    """A generation that a member asked for; who may restrict the use of their data."""
    person = Person(make_member(application, organisation, Role.MEMBER), "")
    caller = replace(caller_of(organisation), key_id=None, account_id=person.account_id)
    return RequestModel(application, organisation, caller), person


def test_what_waits_ends_without_a_call_once_whoever_asked_restricts_processing(application, of_a_person):
    requested, person = of_a_person
    make_request(application, person, Right.RESTRICTION)
    assert model_of(requested.work(GOOD)).requests == []
    assert (requested.row.state, requested.row.reason) == ("cancelled", "processing_restricted")
    assert requested.holds_no_purpose()


def test_what_runs_ends_before_its_next_effect_once_whoever_asked_restricts_processing(application, of_a_person):
    requested, person = of_a_person

    def restricted():
        make_request(application, person, Right.RESTRICTION)
        return GOOD

    assert len(model_of(requested.work(restricted)).requests) == 1
    assert (requested.row.state, requested.row.reason) == ("cancelled", "processing_restricted")
    assert requested.effects == {"model:1": ("done", 1)}
    assert requested.holds_no_purpose()


@pytest.mark.parametrize(
    ("right", "code"), [(Right.RESTRICTION, "processing_restricted"), (Right.OBJECTION, "processing_objected")]
)
def test_nothing_new_is_drafted_for_whoever_stopped_it_until_they_take_it_back(
    application, organisation, of_a_person, right, code
):
    requested, person = of_a_person
    request_id = make_request(application, person, right)
    with pytest.raises(Refused, match=code):
        RequestModel(application, organisation, requested.caller)
    withdraw_request(application, person, request_id)
    assert RequestModel(application, organisation, requested.caller).row.state == "queued"


def test_all_goes_when_the_organisation_is_fenced(requested):
    raise_epoch(requested.application.control, requested.organisation)
    worker_context = requested.work()
    assert model_of(worker_context).requests == []
    assert (requested.row.reason, requested.row.cleanup_at, requested.generation) == ("fenced", None, None)
    assert requested.holds_no_purpose()


def test_the_purpose_goes_through_the_cleanup_when_workers_died_over_the_job(requested):
    control = requested.application.control
    change(control, requested.id, lost=MOST_LOSSES - 1)
    take(control, GENERATE_DRAFT, requested.id)
    lapse(control, requested.id)
    rescue(control)
    assert requested.row.reason == "worker_lost"
    requested.work()
    assert requested.holds_no_purpose()
    assert timedelta(days=6, hours=23) < requested.row.cleanup_at - requested.row.finished_at <= timedelta(days=7)


@pytest.mark.parametrize(("turn", "stays"), [(GOOD, timedelta(hours=24)), (Permanent("refused"), timedelta(days=7))])
def test_what_is_left_goes_when_its_period_is_over(requested, turn, stays):
    requested.work(turn)
    assert abs(requested.row.cleanup_at - requested.row.finished_at - stays) < timedelta(minutes=1)
    change(requested.application.control, requested.id, finished_at=-stays, cleanup_at=timedelta(seconds=-1))
    requested.work()
    assert (requested.generation, requested.row.cleanup_at) == (None, None)


def test_a_draft_stays_until_its_period_is_over(requested):
    requested.work(GOOD)
    change(
        requested.application.control, requested.id, finished_at=timedelta(hours=-23), cleanup_at=timedelta(seconds=-1)
    )
    requested.work()
    assert requested.generation.draft is not None
    assert requested.row.cleanup_at > requested.row.finished_at


def test_a_worker_that_was_taken_over_writes_nothing_into_the_organisations_database(requested):
    control = requested.application.control

    def taken_over():
        lapse(control, requested.id)
        rescue(control)
        requested.work(GOOD)
        return json.dumps({**AGENT, "description": "Written by a zombie."})

    requested.work(taken_over)
    assert (requested.row.state, requested.row.attempt) == ("succeeded", 2)
    assert requested.draft.draft["description"] == AGENT["description"]
    assert requested.holds_no_purpose()


def test_a_worker_that_was_taken_over_erases_nothing_that_another_needs(requested):
    control = requested.application.control

    def taken_over():
        lapse(control, requested.id)
        rescue(control)
        take(control, GENERATE_DRAFT, requested.id)
        raise Permanent("refused")

    requested.work(taken_over)
    assert requested.row.state == "running"
    assert requested.generation.purpose is not None


def test_a_retry_brings_the_purpose_again_and_it_goes_again(requested):
    requested.work(Permanent("refused"))
    retry_job(requested.application, requested.id, requested.organisation, "Another purpose.")
    request = model_of(requested.work(GOOD)).requests[0]
    assert (request.purpose, requested.row.state) == ("Another purpose.", "succeeded")
    assert requested.holds_no_purpose()


def test_live_text_is_there_while_the_model_writes_and_gone_afterwards(requested):
    seen = []

    def turn():
        return SECRET_INSIDE

    def second():
        seen.append(live_rows(requested.application, requested.organisation))
        return GOOD

    requested.work(turn, second)
    assert seen[0] > 0
    assert live_rows(requested.application, requested.organisation) == 0


def rename(requested, table, name):
    with requested.application.tenants.session(requested.organisation) as tenant:
        tenant.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_live_text_that_cannot_be_stored_costs_neither_the_answer_nor_the_draft(requested, monkeypatch):
    monkeypatch.setattr(drafting, "FLUSH_SECONDS", 0.0)

    def first():
        rename(requested, "live_text", "away")
        return SECRET_INSIDE

    def second():
        rename(requested, "away", "live_text")
        return GOOD

    worker_context = requested.work(first, second)
    assert len(model_of(worker_context).requests) == 2
    assert (requested.row.state, requested.row.failures, requested.draft.findings) == ("succeeded", 0, ())
    assert requested.effects == {"model:1": ("done", 1), "model:2": ("done", 1), "draft": ("done", 1)}


def test_live_text_that_could_not_be_stored_follows_when_it_can(requested, monkeypatch):
    monkeypatch.setattr(drafting, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(drafting, "PAUSE_SECONDS", 0.0)
    shown = []

    class Pausing(ScriptedModel):
        def write_draft(self, request, on_text, check):
            rename(requested, "live_text", "away")
            on_text(GOOD[:20])
            rename(requested, "away", "live_text")
            on_text(GOOD[20:])
            pieces = live_text(requested.application, requested.organisation, requested.view.subject_id, 0)
            shown.append("".join(piece.text for piece in pieces))
            return super().write_draft(request, lambda _text: None, check)

    requested.work(model=Pausing([GOOD]))
    assert shown == [GOOD]


def test_an_answer_is_stored_though_its_database_is_away_for_a_moment(requested, monkeypatch):
    store, tries = drafting._store_answer, count()

    def away_after_the_commit(*arguments):
        store(*arguments)
        if next(tries) == 0:
            raise OperationalError("", {}, ConnectionError())

    monkeypatch.setattr(drafting, "_store_answer", away_after_the_commit)
    worker_context = requested.work(GOOD)
    assert len(model_of(worker_context).requests) == 1
    assert (requested.row.state, requested.draft.input_tokens, requested.draft.output_tokens) == ("succeeded", 10, 20)


@pytest.mark.parametrize("error", [TenantsBusyError(), KeyMissingError(), PoolTimeoutError()])
def test_an_answer_is_stored_though_this_process_has_no_place_for_it_at_first(requested, monkeypatch, error):
    store, tries = drafting._store_answer, count()

    def busy_at_first(*arguments):
        if next(tries) == 0:
            raise error
        store(*arguments)

    monkeypatch.setattr(drafting, "_store_answer", busy_at_first)
    worker_context = requested.work(GOOD)
    assert len(model_of(worker_context).requests) == 1
    assert (requested.row.state, requested.row.failures) == ("succeeded", 0)


def test_the_last_live_text_is_stored_after_the_answer(requested, monkeypatch):
    monkeypatch.setattr(drafting, "FLUSH_SECONDS", 3600.0)
    answers, store = [], drafting.LiveWriter._store

    def stored(writer, text):
        answers.append(requested.generation.answer is not None)
        store(writer, text)

    monkeypatch.setattr(drafting.LiveWriter, "_store", stored)
    requested.work(GOOD)
    assert answers == [True]


def test_live_text_waits_half_a_second_for_a_lock(requested, monkeypatch):
    heard, fence = [], drafting.LiveWriter._fence

    def fenced(writer, tenant):
        heard.append(lock_milliseconds(tenant.connection()))
        fence(writer, tenant)

    monkeypatch.setattr(drafting.LiveWriter, "_fence", fenced)
    requested.work(GOOD)
    assert heard
    assert set(heard) == {500}


def test_a_locked_database_delays_live_text_and_costs_nothing(requested, monkeypatch):
    monkeypatch.setattr(drafting, "FLUSH_SECONDS", 0.0)

    class Locking(ScriptedModel):
        def write_draft(self, request, on_text, check):
            with requested.application.tenants.session(requested.organisation) as tenant:
                tenant.connection().execute(update(GENERATION).values(fence=GENERATION.c.fence))
                on_text(GOOD[:20])
            return super().write_draft(request, on_text, check)

    requested.work(model=Locking([GOOD]))
    assert (requested.row.state, requested.row.failures) == ("succeeded", 0)


def test_what_is_stored_while_the_job_runs_is_sealed(requested):
    seen = []

    def second():
        seen.append(requested.generation)
        return GOOD

    requested.work(SECRET_INSIDE, second)
    stored = b"".join(value for value in seen[0] if isinstance(value, bytes))
    assert MARKER.encode() not in stored
    assert b"review" not in stored


def test_a_generation_that_is_gone_fails_the_job(requested):
    remove_generation(requested.application.tenants, requested.organisation, requested.view.subject_id)
    requested.work()
    assert (requested.row.state, requested.row.reason) == ("failed", "purpose_gone")


def test_the_body_is_registered():
    assert HANDLER.body is write_draft


def given_up(requested):
    """Give the job up over an attempt that is still in its call of the model, and clean up; how its answer comes in."""
    control, tenants = requested.application.control, requested.application.tenants
    held = take(control, GENERATE_DRAFT, requested.id)
    context = JobContext(
        control, held, LeaseHeartbeat(control, lambda: False, requested.application.notifier), lambda: False
    )
    row = drafting._read_row(context, tenants)
    context.begin_effect("model:1")
    change(control, requested.id, lost=MOST_LOSSES - 1)
    lapse(control, requested.id)
    rescue(control)
    clean_up_ended(GENERATE_DRAFT, requested.application, control, requested.id)

    def answer():
        live = drafting.LiveWriter(context, tenants, 1)
        live._pending.append("live")
        with pytest.raises(LeaseLost):
            live.flush()
        with pytest.raises(LeaseLost):
            drafting._store_answer(context, tenants, row, DraftAnswer(GOOD, "m", 1, 1, "r"), 1)

    return answer


def test_an_answer_after_the_cleanup_is_not_stored(requested):
    given_up(requested)()
    assert requested.generation.answer is None
    assert live_rows(requested.application, requested.organisation) == 0


def test_an_answer_to_the_purpose_before_a_retry_does_not_become_the_draft(requested):
    answer = given_up(requested)
    retry_job(requested.application, requested.id, requested.organisation, "Another purpose.")
    answer()
    worker_context = requested.work(GOOD)
    assert [request.purpose for request in model_of(worker_context).requests] == ["Another purpose."]
    assert row_of(requested.application.control, requested.id).state == "succeeded"
