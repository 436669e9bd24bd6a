"""Release: a round costs what is due, not what waits."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from pigi.clock import now
from pigi.ids import new_id
from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import partition_of
from pigi.jobs.queues import QUEUES
from pigi.jobs.recovery.release import DUE, release_waiting
from tests.support.jobs import ask, change, copies, register_organisation, row_of

KIND = MIGRATE_ORGANISATION
PAST = timedelta(seconds=-1)


@contextmanager
def statements(control):
    """Every statement that the control database is sent meanwhile."""
    seen = []
    note = lambda _connection, _cursor, statement, *_rest: seen.append(statement)
    event.listen(control.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(control.engine, "before_cursor_execute", note)


def crowd_of_later_jobs(control, count):
    """So many organisations' partitions, each with a job that is due in an hour."""
    model = row_of(control, ask(control, KIND, register_organisation(control), due_in=3600))
    row = {column.key: getattr(model, column.key) for column in JOB.columns}
    later = [{**row, "id": new_id(), "partition": partition_of(new_id(), KIND)} for _ in range(count)]
    with control.transaction() as connection:
        connection.execute(insert(JOB), later)


def plan_of(control, query):
    """How the database means to find it."""
    explain = "EXPLAIN QUERY PLAN" if control.engine.dialect.name == "sqlite" else "EXPLAIN"
    with control.transaction() as connection:
        if explain == "EXPLAIN":
            connection.exec_driver_sql("ANALYZE job")
        text = str(query.compile(control.engine, compile_kwargs={"literal_binds": True}))
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {text}"))


def test_ten_thousand_organisations_whose_jobs_are_due_in_an_hour_cost_a_round_one_statement(control):
    crowd_of_later_jobs(control, 10_000)
    with statements(control) as seen:
        assert release_waiting(control) == []
    assert len(seen) == 1
    found = plan_of(control, DUE)
    assert "ix_job_due" in found
    assert "(due_at<" in found or "Index Cond: (due_at <=" in found


def test_a_due_job_among_ten_thousand_later_ones_costs_its_own_partition_alone(control):
    crowd_of_later_jobs(control, 10_000)
    due = ask(control, KIND, register_organisation(control), due_in=60)
    change(control, due, due_at=PAST)
    with statements(control) as seen:
        assert [notification.job_id for notification in release_waiting(control)] == [due]
    assert sum(statement.lstrip().startswith("UPDATE") for statement in seen) == 1


def test_a_partition_without_room_is_not_visited(control):
    one = register_organisation(control)
    first = ask(control, KIND, one)
    copies(control, first, QUEUES[KIND.queue].concurrency + 50)
    copies(control, first, 50, published_at=None)
    with statements(control) as seen:
        assert release_waiting(control) == []
    assert len(seen) == 1


@pytest.mark.parametrize("due_at", [PAST, timedelta(0)])
def test_every_due_partition_with_room_is_let_in(control, due_at):
    jobs = [ask(control, KIND, register_organisation(control), due_in=60) for _ in range(5)]
    for job in jobs:
        change(control, job, due_at=due_at)
    assert {notification.job_id for notification in release_waiting(control)} == set(jobs)
    with control.autocommit() as connection:
        assert connection.execute(select(JOB.c.id).where(JOB.c.published_at.is_(None))).all() == []
    assert all(row_of(control, job).published_at <= now() for job in jobs)
