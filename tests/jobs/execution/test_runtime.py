"""Registering bodies: each kind once, as a Celery task that takes an id and nothing else."""

from __future__ import annotations

import pytest

from pigi.jobs.execution.runtime import HANDLERS, HARD_LIMIT_SECONDS, job, set_worker_context
from pigi.jobs.kind import hook
from pigi.jobs.kinds import CATALOGUE, GENERATE_DRAFT, PROBES
from pigi.jobs.queueing.celery_app import app as celery
from tasks import generations, maintenance
from tests.support.jobs import ask, row_of


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match=r"mail\.probe"):
        job(PROBES["mail"])


def test_every_hook_that_a_kind_names_is_there():
    for kind in CATALOGUE.values():
        for name in (kind.cleanup, kind.restore, kind.live_text, kind.subjects):
            assert name is None or callable(hook(name))


def test_a_body_stays_a_plain_function():
    assert HANDLERS[GENERATE_DRAFT.name].body is generations.write_draft
    assert HANDLERS["mail.probe"].body is maintenance.answer_probe


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_limits_of_time_are_the_catalogues(name):
    task, limit = celery.tasks[name], HANDLERS[name].kind.time_limit.total_seconds()
    assert (task.soft_time_limit, task.time_limit) == (limit, limit + HARD_LIMIT_SECONDS)


def test_a_message_that_holds_no_id_is_passed_over(worker_context, control):
    set_worker_context(worker_context)
    for rubbish in (None, 7, {"id": "x"}, ["x"]):
        celery.tasks["mail.probe"].run(rubbish)


def test_a_notification_handled_by_celerys_task_does_the_job(worker_context, control):
    set_worker_context(worker_context)
    asked = ask(control, PROBES["mail"])
    celery.tasks["mail.probe"].run(asked)
    assert row_of(control, asked).state == "succeeded"
