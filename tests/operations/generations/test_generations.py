"""Requesting a generation: what is written, in which order, and what is refused."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.exc import OperationalError

from pigi.application import Application
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.generations import GENERATION, read_generation, request_generation
from pigi.store.control import Organisation, UsageCount
from tests.support.contents import GITHUB_TOKEN
from tests.support.factories import make_organisation
from tests.support.jobs import MARKER, answer_lost, caller_of, change, generation_row, raise_epoch, row_of


def ask(application, organisation, **others):
    return request_generation(application, caller_of(organisation), "agent", "reviewer", f"Reviews. {MARKER}", **others)


def limited(application, **limits):
    return replace(application, settings=application.settings.model_copy(update=limits))


def generations(application: Application, organisation):
    with application.tenants.read(organisation) as tenant:
        return tenant.connection().execute(select(func.count()).select_from(GENERATION)).scalar_one()


def test_what_the_job_is_about_is_there_with_its_job(application, organisation, control):
    job = ask(application, organisation)
    generation = generation_row(application, organisation, job.subject_id)
    assert (generation.job_id, generation.resource, generation.turns) == (job.id, "agent", 0)
    assert row_of(control, job.id).organisation_id == organisation


def test_no_word_of_the_asker_is_in_the_control_database(application, organisation, control):
    job = ask(application, organisation)
    assert MARKER not in str(row_of(control, job.id))
    assert "reviewer" not in str(row_of(control, job.id))


def test_the_purpose_is_sealed_from_the_first_moment(application, organisation):
    stored = generation_row(application, organisation, ask(application, organisation).subject_id)
    assert MARKER.encode() not in stored.purpose + stored.name


def test_what_the_caller_adds_to_the_transaction_takes_the_generation_with_it(application, organisation):
    def refuse(_session, _job):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(application, organisation, on_queued=refuse)
    assert generations(application, organisation) == 0


def test_a_commit_whose_answer_was_lost_is_accepted_like_any_other(application, organisation, control):
    with answer_lost(control):
        job = ask(application, organisation)
    assert row_of(control, job.id).state == "queued"
    assert generation_row(application, organisation, job.subject_id).purpose is not None


def test_a_commit_of_which_nobody_can_say_whether_it_happened_costs_no_purpose(application, organisation, control):
    def is_away(_connection):
        raise OperationalError("SELECT", None, ConnectionError())

    def goes_away(_session, _job):
        event.listen(control.engine, "begin", is_away)

    with answer_lost(control), pytest.raises(OperationalError):
        ask(application, organisation, on_queued=goes_away)
    event.remove(control.engine, "begin", is_away)
    assert generations(application, organisation) == 1


def test_too_many_that_wait_are_refused_and_leave_nothing(application, organisation, control):
    few = limited(application, generations_in_flight=2)
    concurrency = 8
    jobs = [ask(few, organisation) for _ in range(concurrency + 2)]
    with pytest.raises(Refused) as refused:
        ask(few, organisation)
    assert (refused.value.code, refused.value.details["limit"]) == ("too_many_in_flight", 2)
    assert refused.value.details["retry_after"] > 0
    assert generations(application, organisation) == len(jobs)


def test_a_place_that_became_free_can_be_asked_for_again(application, organisation, control):
    few = limited(application, generations_in_flight=1)
    jobs = [ask(few, organisation) for _ in range(9)]
    change(control, jobs[-1].id, state="succeeded")
    ask(few, organisation)


def test_too_many_of_a_day_are_refused_until_the_next(application, organisation):
    few = limited(application, generations_per_day=2)
    ask(few, organisation)
    ask(few, organisation)
    with pytest.raises(Refused) as refused:
        ask(few, organisation)
    assert refused.value.code == "too_many_today"
    assert 0 < refused.value.details["retry_after"] <= 86_401


@contextmanager
def generations_written(meanwhile=None):
    """The statements that write a generation, to whichever tenant; ``meanwhile`` is done before the first."""
    seen, act = [], [meanwhile] if meanwhile else []

    def note(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO generation"):
            seen.append(statement)
            if act:
                act.pop()()

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def close(control):
    with control.autocommit() as connection:
        connection.execute(update(Organisation).values(state="restricted"))


@pytest.mark.parametrize("code", ["too_many_in_flight", "too_many_today", "organisation_closed"])
def test_what_will_be_refused_writes_nothing_first(application, organisation, control, code):
    limits = {"too_many_in_flight": {"generations_in_flight": 1}, "too_many_today": {"generations_per_day": 9}}
    few = limited(application, **limits.get(code, {}))
    for _ in range(9):
        ask(few, organisation)
    if code == "organisation_closed":
        close(control)
    with generations_written() as seen, pytest.raises(Refused) as refused:
        ask(few, organisation)
    assert refused.value.code == code
    assert seen == []


def test_what_is_refused_after_all_leaves_nothing(application, organisation, control):
    with generations_written(lambda: close(control)) as seen, pytest.raises(Refused) as refused:
        ask(application, organisation)
    assert (refused.value.code, len(seen)) == ("organisation_closed", 1)
    assert generations(application, organisation) == 0


def test_what_was_refused_is_not_counted(application, organisation, control):
    few = limited(application, generations_per_day=1)
    ask(few, organisation)
    for _ in range(3):
        with pytest.raises(Refused):
            ask(few, organisation)
    with control.autocommit() as connection:
        assert connection.execute(select(UsageCount.count)).scalars().all() == [1]


def test_one_organisations_limits_are_not_anothers(application, organisation, control, tenants):
    few = limited(application, generations_per_day=1)
    ask(few, organisation)
    ask(few, make_organisation(control, tenants))


def test_an_organisation_that_is_not_active_is_refused_and_keeps_nothing(application, organisation, control):
    with control.autocommit() as connection:
        connection.execute(update(Organisation).values(state="restricted"))
    with pytest.raises(Refused) as refused:
        ask(application, organisation)
    assert refused.value.code == "organisation_closed"
    assert generations(application, organisation) == 0


def test_a_job_asked_for_after_a_fence_carries_the_new_epoch(application, organisation, control):
    raise_epoch(control, organisation)
    assert row_of(control, ask(application, organisation).id).epoch == 2


def test_one_organisation_does_not_find_anothers_generation(application, organisation, control, tenants):
    job = ask(application, organisation)
    other = make_organisation(control, tenants)
    for organisation_id, generation in ((other, job.subject_id), (organisation, new_id()), (organisation, "rubbish")):
        with pytest.raises(Refused) as refused:
            read_generation(application, organisation_id, generation)
        assert refused.value.code == "not_found"


def test_a_secret_in_the_purpose_leaves_for_nobody(application, organisation):
    with pytest.raises(Refused, match="secret_found") as refused:
        request_generation(application, caller_of(organisation), "agent", "a", f"Sign in with {GITHUB_TOKEN}.")
    assert [flaw["pointer"] for flaw in refused.value.details["errors"]] == ["/purpose"]
    assert generations(application, organisation) == 0
