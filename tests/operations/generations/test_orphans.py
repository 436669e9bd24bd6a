"""Sweeping generations: only what a crash left without a job, and only when nobody can be about to commit it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.isolation import SKIPPED
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.heartbeats import last_notes
from pigi.jobs.kinds import SWEEP_GENERATIONS
from pigi.operations.generations import GENERATION, request_generation
from pigi.operations.generations import orphans as sweeping
from pigi.operations.generations.orphans import ORPHAN_AGE
from pigi.store.control import DataKey
from tests.support.factories import add_generation, make_organisation
from tests.support.jobs import ask, caller_of, generation_row, register_organisation, row_of

OLD = ORPHAN_AGE + timedelta(minutes=1)


@pytest.fixture
def sweep(worker_context, control):
    """Do one sweep as a worker does."""
    import tasks.generations  # noqa: F401 - registers the sweep

    def once():
        job = ask(control, SWEEP_GENERATIONS)
        run(HANDLERS[SWEEP_GENERATIONS.name], job, worker_context)
        assert row_of(control, job).state == "succeeded"
        return row_of(control, job)

    return once


def age(tenants, organisation, generation, period):
    with tenants.session(organisation) as tenant:
        made = update(GENERATION).where(GENERATION.c.id == generation).values(created_at=now() - period)
        tenant.connection().execute(made)


def orphan(tenants, organisation, period):
    """A generation whose request died before its job was committed."""
    with tenants.session(organisation) as tenant:
        generation = add_generation(tenant)
    age(tenants, organisation, generation, period)
    return generation


def test_an_old_generation_without_a_job_is_removed(application, organisation, tenants, sweep):
    generation = orphan(tenants, organisation, OLD)
    sweep()
    assert generation_row(application, organisation, generation) is None


def test_a_young_one_may_be_about_to_get_its_job(application, organisation, tenants, sweep):
    generation = orphan(tenants, organisation, ORPHAN_AGE - timedelta(minutes=1))
    sweep()
    assert generation_row(application, organisation, generation) is not None


def test_an_old_one_with_a_job_stays(application, organisation, tenants, sweep):
    job = request_generation(application, caller_of(organisation), "agent", "reviewer", "Reviews changes.")
    age(tenants, organisation, job.subject_id, OLD)
    sweep()
    assert generation_row(application, organisation, job.subject_id).purpose is not None


def test_an_organisation_without_a_database_does_not_stop_the_next(application, control, tenants, sweep):
    register_organisation(control)
    organisation = make_organisation(control, tenants)
    register_organisation(control)
    generation = orphan(tenants, organisation, OLD)
    sweep()
    assert generation_row(application, organisation, generation) is None


def test_an_organisation_that_cannot_be_opened_does_not_stop_the_others_and_is_reported(
    application, control, tenants, sweep, caplog
):
    organisations = [make_organisation(control, tenants) for _ in range(3)]
    generations = {organisation: orphan(tenants, organisation, OLD) for organisation in organisations}
    locked = organisations[1]
    tenants.dispose()
    with control.autocommit() as connection:
        connection.execute(update(DataKey).where(DataKey.organisation_id == locked).values(wrapped=b"torn"))
    job = sweep()
    for organisation in (organisations[0], organisations[2]):
        assert generation_row(application, organisation, generations[organisation]) is None
    assert (job.progress_note, job.progress_done, job.progress_total) == (SKIPPED, 2, 3)
    with control.autocommit() as connection:
        assert last_notes(connection)["each generations.sweep"] == "skipped 1 of 3"
    told = [record.getMessage() for record in caplog.records if locked in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith(f"generations.sweep: skipped {locked} (")


def test_a_busy_organisation_is_swept_batch_by_batch(control, organisation, tenants, monkeypatch):
    assert sweeping.BATCH <= 10_000  # PostgreSQL takes 65,535 parameters a statement.
    monkeypatch.setattr(sweeping, "BATCH", 3)
    kept = ask(control, SWEEP_GENERATIONS)
    with tenants.session(organisation) as tenant:
        row = {"resource": "agent", "name": b"", "created_at": now() - OLD, "turns": 0}
        rest = {"input_tokens": 0, "output_tokens": 0, "fence": 0}
        rows = [{**row, **rest, "id": new_id(), "job_id": job} for job in (*(new_id() for _ in range(10)), kept)]
        tenant.connection().execute(insert(GENERATION), rows)
    assert sweeping.remove_orphans(control, tenants, organisation) == 10
    with tenants.read(organisation) as tenant:
        assert tenant.connection().execute(select(GENERATION.c.job_id)).scalars().all() == [kept]
