"""Registering bodies: each kind once, with its closing, as a Celery task that takes an id and nothing else."""

from __future__ import annotations

import pytest

from pigi.jobs.kinds import GENERATE_DRAFT, PROBES
from pigi.jobs.queue import app as celery
from tasks import generations, upkeep
from tasks.runtime import HANDLERS, HARD_LIMIT_SECONDS, equip, job
from tests.support.jobs import ask, row_of


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match=r"mail\.probe"):
        job(PROBES["mail"])


def test_a_closing_must_be_what_the_catalogue_says(trial, closing_trial):
    with pytest.raises(ValueError, match="closing"):
        job(trial, closing=lambda *_facts: None)
    with pytest.raises(ValueError, match="closing"):
        job(closing_trial)


def test_a_body_stays_a_plain_function():
    assert HANDLERS[GENERATE_DRAFT.name].body is generations.write_draft
    assert HANDLERS["mail.probe"].body is upkeep.answer_probe


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_limits_of_time_are_the_catalogues(name):
    task, limit = celery.tasks[name], HANDLERS[name].kind.time_limit.total_seconds()
    assert (task.soft_time_limit, task.time_limit) == (limit, limit + HARD_LIMIT_SECONDS)


def test_a_message_that_holds_no_id_is_passed_over(hands, control):
    equip(hands)
    for rubbish in (None, 7, {"id": "x"}, ["x"]):
        celery.tasks["mail.probe"].run(rubbish)


def test_a_bell_answered_through_celerys_task_does_the_job(hands, control):
    equip(hands)
    asked = ask(control, PROBES["mail"])
    celery.tasks["mail.probe"].run(asked)
    assert row_of(control, asked).state == "succeeded"
