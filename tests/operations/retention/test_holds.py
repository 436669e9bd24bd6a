"""A legal hold takes two operators and keeps what belongs to an organisation, and nothing of another's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.domain.retention import NEVER_HELD, Retention
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.audit import CLI, record, verify
from pigi.operations.audit.chain import CONTENT, ENTRY
from pigi.operations.generations import clean_up
from pigi.operations.retention import (
    NewHold,
    active_holds,
    add_hold,
    approve_hold,
    list_holds,
    release_hold,
    report_classes,
    run_sweep,
)
from pigi.operations.retention.ownership import BELONGS
from pigi.operations.retention.sweeps import SWEEPS
from pigi.operations.usage import aggregate_usage
from pigi.store.billing import BillingAccount
from pigi.store.holds import HOLD
from pigi.store.ledgers import UsageSignal
from tests.support.audits import Unhurried
from tests.support.furnished import furnish
from tests.support.jobs import ended_job, generation_row, register_organisation
from tests.support.retention import OPERATORS, count, hold, plant

OLD = datetime(2016, 1, 1, tzinfo=UTC)
OF = {sweep.retention: sweep for sweep in SWEEPS}
ROWS = sorted(set(BELONGS) & set(OF) - {Retention.AUDIT})


def wanted(organisation, **changed):
    facts = {"retention": "mail", "reason": "A case.", "review_on": now().date() + timedelta(days=90)}
    return NewHold(organisation, **{**facts, **changed})


def linked(control, retention, organisation):
    """Values by which a row of the class is the organisation's, and the rows that lead there."""
    if retention in {Retention.BILLING_LOG, Retention.BILLING_EVENT}:
        customer = f"cus_{organisation[-12:]}"
        with control.transaction() as connection:
            row = {"organisation_id": organisation, "customer_id": customer, "status": "none"}
            if not connection.execute(select(BillingAccount).where(BillingAccount.customer_id == customer)).first():
                connection.execute(insert(BillingAccount), {**row, "tickets": 0, "ticket": 0})
        return {"customer_id": customer}
    if retention is Retention.IDEMPOTENCY:
        key = new_id()
        plant(control, OF[Retention.ACCESS_KEY], now(), id=key, organisation_id=organisation)
        return {"caller": f"api-key:{key}"}
    if retention is Retention.ERROR_LOG:
        request = new_id()
        plant(control, OF[Retention.REQUEST_LOG], OLD, request_id=request, organisation_id=organisation)
        return {"request_id": request}
    return {"organisation_id": organisation, **({"kind": "mail.send", "state": "failed"} if retention == "job" else {})}


def line(application, retention):
    return next(found for found in report_classes(application) if found.retention == retention)


@pytest.mark.parametrize("retention", ROWS, ids=str)
def test_a_hold_keeps_what_is_the_organisations_until_it_is_released(application, control, retention):
    one, other = register_organisation(control), register_organisation(control)
    sweep = OF[retention]
    for organisation in (one, other):
        plant(control, sweep, OLD, **linked(control, retention, organisation))
    held = hold(application, one, retention)
    if retention is Retention.ERROR_LOG:
        # What says whose they are is swept by its own class, and stays for as long.
        run_sweep(application, Retention.REQUEST_LOG)
    assert (line(application, retention).due, line(application, retention).held) == (1, 1)
    assert run_sweep(application, retention) == 1
    found = line(application, retention)
    assert (found.due, found.held, found.overdue, found.holds) == (0, 1, False, 1)
    assert found.oldest <= OLD
    release_hold(application, OPERATORS[0], held)
    assert line(application, retention).overdue
    assert run_sweep(application, retention) == 1
    assert count(control, sweep.table) == 0


def test_a_hold_counts_from_a_second_persons_approval_to_its_release(application, control):
    organisation = register_organisation(control)
    added = add_hold(application, OPERATORS[0], wanted(organisation))
    with control.autocommit() as connection:
        assert active_holds(connection, organisation) == []
    with pytest.raises(Refused, match="hold_needs_another"):
        approve_hold(application, OPERATORS[0], added)
    assert approve_hold(application, OPERATORS[1], added).state == "active"
    with control.autocommit() as connection:
        assert active_holds(connection, organisation) == [added]
    with pytest.raises(Refused, match="hold_over"):
        approve_hold(application, OPERATORS[1], added)
    assert release_hold(application, OPERATORS[0], added).state == "released"
    with control.autocommit() as connection:
        assert active_holds(connection, organisation) == []
    with pytest.raises(Refused, match="hold_over"):
        release_hold(application, OPERATORS[0], added)
    with control.autocommit() as connection:
        kinds = connection.execute(select(ENTRY.c.kind).order_by(ENTRY.c.seq)).scalars().all()
        details = connection.execute(select(CONTENT.c.details)).scalars().all()
    assert kinds == ["hold.added", "hold.approved", "hold.released"]
    assert {json.loads(one)["hold"] for one in details} == {added}
    assert "case" not in "".join(details)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"days": 91}, "hold_review_unfit"),
        ({"days": -1}, "hold_review_unfit"),
        ({"reason": " "}, "hold_reason_unfit"),
        ({"organisation_id": "01a22a5d-0e97-76a9-9848-a0bf189b91d4"}, "not_found"),
        *[({"retention": str(one)}, "hold_class_unfit") for one in sorted(NEVER_HELD)],
    ],
    ids=str,
)
def test_a_hold_that_may_not_be_is_refused(application, control, changed, code):
    facts = {"organisation_id": register_organisation(control), **changed}
    if "days" in facts:
        facts["review_on"] = now().date() + timedelta(days=facts.pop("days"))
    with pytest.raises(Refused, match=code):
        add_hold(application, OPERATORS[0], wanted(**{"organisation": facts.pop("organisation_id"), **facts}))
    assert list_holds(application) == []


def test_a_review_that_is_overdue_shows_and_ends_nothing(application, control):
    organisation = register_organisation(control)
    held = hold(application, organisation, "mail")
    with control.transaction() as connection:
        connection.execute(update(HOLD).values(review_on=now().date() - timedelta(days=1)))
    (view,) = list_holds(application)
    assert (view.id, view.state, view.overdue) == (held, "active", True)


def test_a_held_act_keeps_the_chain_whole_and_the_others_contents_go(application, control, monkeypatch):
    one, other = register_organisation(control), register_organisation(control)
    monkeypatch.setattr("pigi.operations.audit.chain.now", lambda: OLD)
    for organisation in (other, one, other, other):
        with control.begin() as session:
            record(session, application, "organisation.renamed", CLI, organisation)
    monkeypatch.undo()
    held = hold(application, one, "audit")
    run_sweep(application, Retention.AUDIT)
    with control.autocommit() as connection:
        old = connection.execute(select(CONTENT.c.organisation_id).where(CONTENT.c.seq <= 4)).scalars().all()
    assert old == [one]
    assert verify(application).ok
    assert line(application, Retention.AUDIT).held == 3
    release_hold(application, OPERATORS[0], held)
    run_sweep(application, Retention.AUDIT)
    assert count(control, ENTRY, ENTRY.c.at == OLD) == 0
    assert verify(application).ok


def test_held_signals_of_use_outlive_their_counting(application, control):
    one, other = register_organisation(control), register_organisation(control)
    for organisation in (one, other):
        plant(control, OF[Retention.USAGE], OLD, organisation_id=organisation)
    hold(application, one, "usage")
    aggregate_usage(Unhurried(), application)
    assert count(control, UsageSignal.__table__) == 1
    assert count(control, UsageSignal.__table__, UsageSignal.organisation_id == one) == 1


def test_a_held_draft_stays_and_its_purpose_goes(application):
    home = furnish(application)
    job = ended_job(home.organisation, home.generation, JobState.SUCCEEDED, now() - timedelta(days=2))
    held = hold(application, home.organisation, "draft")
    assert clean_up(application, job) > now()
    row = generation_row(application, home.organisation, home.generation)
    assert row.purpose is None
    assert row.draft is not None
    release_hold(application, OPERATORS[0], held)
    assert clean_up(application, job) is None
