"""The ledger of effects: each once by its key, under the policy that the catalogue states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.domain.job_state import JobState
from pigi.jobs import effects as ledger
from pigi.jobs.execution import claims
from pigi.jobs.execution.context import JobContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.kinds import MIGRATE_ORGANISATION, MOST_LOSSES
from pigi.jobs.model.claim import Cancelled, Fenced
from pigi.jobs.queueing.notifications import Notifier
from pigi.jobs.recovery.pump import rescue
from pigi.operations.jobs import cancel_job
from tests.support.jobs import (
    answer_lost,
    ask,
    change,
    effects,
    finish,
    lapse,
    raise_epoch,
    register_organisation,
    take,
)

SILENT = Notifier("unix:///nowhere.sock")


@pytest.fixture
def held(control, trial):
    return take(control, trial, ask(control, trial))


def crash(control, held, trial):
    """The next attempt, after a worker died between an act and its record."""
    claims.hand_back(control, held)
    return take(control, trial, held.job_id)


def test_an_effect_is_intended_before_the_act_and_done_after_it(control, held):
    assert ledger.begin(control, held, "least") == ledger.Begun("intended", 1, None)
    ledger.complete(control, held, "least", "reference")
    effect = effects(control, held.job_id)["least"]
    assert (effect.state, effect.reference, effect.tries) == ("done", "reference", 1)
    assert effect.settled_at is not None


@pytest.mark.parametrize("policy", ["least", "most", "exact"])
def test_an_effect_that_was_done_is_not_done_again(control, held, trial, policy):
    ledger.begin(control, held, policy)
    ledger.complete(control, held, policy, "reference")
    begun = ledger.begin(control, crash(control, held, trial), policy)
    assert (begun.state, begun.settled, begun.reference) == ("done", True, "reference")


@pytest.mark.parametrize(("policy", "state"), [("least", "intended"), ("exact", "intended"), ("most", "unknown")])
def test_after_a_crash_in_between_the_policy_decides(control, held, trial, policy, state):
    ledger.begin(control, held, policy)
    begun = ledger.begin(control, crash(control, held, trial), policy)
    assert (begun.state, begun.tries, begun.settled) == (state, 2, state == "unknown")
    assert effects(control, held.job_id)[policy].state == state


def test_effects_of_one_name_are_apart_by_what_follows_the_colon(control, held):
    ledger.begin(control, held, "least:1")
    ledger.begin(control, held, "least:2")
    assert {key: effect.tries for key, effect in effects(control, held.job_id).items()} == {"least:1": 1, "least:2": 1}


def test_an_effect_that_the_catalogue_does_not_declare_is_refused(control, held):
    with pytest.raises(KeyError):
        ledger.begin(control, held, "undeclared")
    assert effects(control, held.job_id) == {}


def test_a_withdrawn_intent_is_as_if_it_never_was(control, held):
    ledger.begin(control, held, "least")
    ledger.withdraw(control, held, "least", 1)
    assert effects(control, held.job_id) == {}


def test_withdrawing_leaves_the_intent_of_an_earlier_attempt(control, held, trial):
    ledger.begin(control, held, "least")
    again = crash(control, held, trial)
    ledger.begin(control, again, "least")
    ledger.withdraw(control, again, "least", 2)
    assert (effects(control, held.job_id)["least"].state, effects(control, held.job_id)["least"].tries) == (
        "intended",
        1,
    )


@pytest.fixture
def context(control, held):
    return JobContext(control, held, LeaseHeartbeat(control, lambda: False, SILENT), lambda: False)


def test_a_beginning_whose_answer_was_lost_counts_once_and_may_be_had(control, context):
    with answer_lost(control):
        assert context.begin_effect("most") == ledger.Begun("intended", 1, None)
    assert effects(control, context.job.job_id)["most"].state == "intended"


def test_a_beginning_whose_answer_was_lost_is_still_the_second_after_a_crash(control, context, held, trial):
    context.begin_effect("most")
    again = JobContext(
        control, crash(control, held, trial), LeaseHeartbeat(control, lambda: False, SILENT), lambda: False
    )
    with answer_lost(control):
        assert again.begin_effect("most").state == "unknown"


def test_a_body_that_begins_an_effect_twice_is_told_so(context):
    assert not context.begin_effect("most").settled
    assert context.begin_effect("most").state == "unknown"


def test_a_withdrawal_whose_answer_was_lost_leaves_the_intent_of_an_earlier_attempt(control, context, held, trial):
    context.begin_effect("least")
    again = JobContext(
        control, crash(control, held, trial), LeaseHeartbeat(control, lambda: False, SILENT), lambda: False
    )
    again.begin_effect("least")
    with answer_lost(control):
        again.withdraw_effect("least")
    assert effects(control, held.job_id)["least"].tries == 1


def test_what_was_done_cannot_be_withdrawn(control, held):
    ledger.begin(control, held, "least")
    ledger.complete(control, held, "least", None)
    ledger.withdraw(control, held, "least", 1)
    assert effects(control, held.job_id)["least"].state == "done"


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_an_intent_that_is_left_over_at_the_end_is_unknown(control, held, state):
    ledger.begin(control, held, "least")
    ledger.begin(control, held, "exact")
    ledger.complete(control, held, "exact", None)
    finish(control, held, state, None, None)
    assert {key: effect.state for key, effect in effects(control, held.job_id).items()} == {
        "least": "unknown",
        "exact": "done",
    }


def test_an_intent_of_a_job_that_is_cancelled_while_it_waits_is_unknown(application, control, held):
    ledger.begin(control, held, "least")
    claims.retry(control, held, "stalled", timedelta(0))
    told = cancel_job(application, held.job_id, None)
    assert [effect.state for effect in told.effects] == ["unknown"]


def test_a_cancelled_job_begins_no_effect(control, held):
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    with pytest.raises(Cancelled):
        ledger.begin(control, held, "least")
    assert effects(control, held.job_id) == {}


def test_a_fenced_job_begins_no_effect_but_may_record_the_one_it_had(control):
    organisation = register_organisation(control)
    held = take(control, MIGRATE_ORGANISATION, ask(control, MIGRATE_ORGANISATION, organisation))
    ledger.begin(control, held, "schema")
    raise_epoch(control, organisation)
    with pytest.raises(Fenced):
        ledger.begin(control, held, "schema:2")
    ledger.complete(control, held, "schema", "0001")
    assert {key: effect.state for key, effect in effects(control, held.job_id).items()} == {"schema": "done"}


def elapsed(control, held):
    lapse(control, held.job_id)


def taken_back(control, held):
    lapse(control, held.job_id)
    assert rescue(control) == 1


def given_up(control, held):
    change(control, held.job_id, lost=MOST_LOSSES - 1)
    taken_back(control, held)
    assert effects(control, held.job_id)["least"].state == "unknown"


@pytest.mark.parametrize("fate", [elapsed, taken_back, given_up])
def test_an_effect_that_was_had_is_recorded_as_long_as_nobody_else_took_the_job(control, held, fate):
    ledger.begin(control, held, "least")
    fate(control, held)
    ledger.complete(control, held, "least", "reference")
    effect = effects(control, held.job_id)["least"]
    assert (effect.state, effect.reference) == ("done", "reference")


@pytest.mark.parametrize("fate", [elapsed, taken_back])
def test_an_intent_that_led_to_nothing_is_withdrawn_as_long_as_nobody_else_took_the_job(control, held, fate):
    ledger.begin(control, held, "least")
    fate(control, held)
    ledger.withdraw(control, held, "least", 1)
    assert effects(control, held.job_id) == {}


def test_the_job_shows_its_effects_in_the_order_in_which_they_began(control, held):
    for key in ("most", "least:2", "least:1"):
        ledger.begin(control, held, key)
    assert list(effects(control, held.job_id)) == ["most", "least:2", "least:1"]
