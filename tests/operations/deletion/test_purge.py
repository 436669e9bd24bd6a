"""Purging: when the grace period is over everything of the organisation goes, and nothing of anybody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.errors import Refused
from pigi.jobs.kinds import MIGRATE_ORGANISATION, PURGE_ORGANISATION
from pigi.operations.audit import verify
from pigi.operations.deletion import delete_organisation, restore_organisation, steps
from pigi.operations.deletion.purge import OWNED
from pigi.operations.jobs import retry_job
from pigi.store.control import Organisation
from pigi.store.ledgers import AuditContent, AuditEntry
from pigi.store.tenants import TenantMissingError
from standins.stripe.faults import fail
from tasks import organisations  # noqa: F401 - registers bodies
from tests.support.billing import Shop
from tests.support.deletions import ask_purge, counts, due, full, lapse, mentions, purge
from tests.support.jobs import ask, effects
from tests.support.people import join, make_member


@pytest.fixture
def shop(with_redis, redis_server, stripe):
    settings = with_redis.settings.model_copy(update={"redis_url": redis_server.url})
    return Shop(replace(with_redis, settings=settings), stripe)


def kinds(shop):
    with shop.control.read() as session:
        return list(session.scalars(select(AuditEntry.kind).order_by(AuditEntry.seq)))


def test_every_row_and_the_database_are_gone(shop):
    owner = full(shop, "Harbour Works")
    named = {table.name for table in OWNED}
    assert named <= mentions(shop, owner.organisation_id).keys()
    customer = shop.account(owner).customer_id
    due(shop, owner)
    job = purge(shop, owner)
    assert (job.state, job.reason) == ("succeeded", None)
    assert mentions(shop, owner.organisation_id) == {}
    assert kinds(shop)[-2:] == ["audit.content_erased", "organisation.purged"]
    with pytest.raises(TenantMissingError), shop.application.tenants.read(owner.organisation_id):
        pass
    assert owner.organisation_id.replace("-", "") not in {
        path.name.replace("-", "").partition(".")[0] for path in shop.application.settings.home.rglob("*")
    }
    assert mentions(shop, customer) == {"billing_log": len(shop_log(shop, customer))}
    assert counts(shop)["idempotency_key"] == 0


def shop_log(shop, customer):
    return [line for line in shop.log() if line.customer_id == customer]


def test_stripe_forgets_the_customer_and_the_billing_log_stays(shop):
    owner = full(shop, "Harbour Works")
    customer = shop.account(owner).customer_id
    before = shop_log(shop, customer)
    due(shop, owner)
    job = purge(shop, owner)
    assert shop.customers(owner) == []
    assert effects(shop.control, job.id)["customer"].state == "done"
    assert before
    assert shop_log(shop, customer)[: len(before)] == before


def test_the_audit_chain_still_holds(shop):
    owner = full(shop, "Harbour Works")
    due(shop, owner)
    job = purge(shop, owner)
    verdict = verify(shop.application)
    assert (verdict.ok, verdict.flaw) == (True, None)
    assert verdict.erased > 0
    with shop.control.read() as session:
        about = session.scalars(select(AuditContent.subject).order_by(AuditContent.seq.desc())).first()
    assert about == f"deletion:{job.subject_id}"


def test_nothing_of_another_organisation_or_of_people_goes(shop):
    other = full(shop, "Ferry Company")
    people = counts(shop)["account"]
    before = {name: rows for name, rows in mentions(shop, other.organisation_id).items() if name != "audit_content"}
    owner = full(shop, "Harbour Works")
    gone = counts(shop)
    due(shop, owner)
    purge(shop, owner)
    after = {name: rows for name, rows in mentions(shop, other.organisation_id).items() if name != "audit_content"}
    assert after == before
    assert counts(shop)["account"] == gone["account"] > people
    assert shop.standing(other) == (shop.truth(other), "team")
    with shop.application.tenants.read(other.organisation_id) as tenant:
        assert tenant.organisation_id == other.organisation_id


def test_a_purge_that_is_stopped_anywhere_goes_on_from_there(shop, monkeypatch):
    """Each attempt is stopped at one checkpoint later than the last, as by a worker that ends."""
    monkeypatch.setattr(steps, "BATCH", 1)
    owner = full(shop, "Harbour Works")
    due(shop, owner)
    job_id = ask_purge(shop, owner)
    stops = Stops(shop)
    states = []
    while states[-1:] != ["succeeded"]:
        stops.after(len(states) + 1)
        states.append(shop.do(job_id, now=True).state)
        assert states[-1] in {"retrying", "succeeded"}
    assert len(states) > 5
    assert mentions(shop, owner.organisation_id) == {}
    assert kinds(shop).count("organisation.purged") == 1


class Stops:
    """A worker context that starts to drain at a checkpoint of the test's choice."""

    def __init__(self, shop):
        self._left = 0
        shop.worker_context = replace(shop.worker_context, draining=self._look)

    def after(self, checkpoints):
        self._left = checkpoints

    def _look(self):
        self._left -= 1
        return self._left == 0


def test_while_stripe_is_away_only_what_says_whom_to_end_stays_and_others_go_on(shop):
    owner, other = full(shop, "Harbour Works"), shop.organisation("Ferry Company")
    customer = shop.account(owner).customer_id
    due(shop, owner)
    due(shop, other)
    shop.stripe.plan("*", "", fail(500))
    job = purge(shop, owner)
    assert (job.state, job.reason) == ("retrying", "billing_failed")
    assert purge(shop, other).state == "succeeded"
    with pytest.raises(TenantMissingError), shop.application.tenants.read(owner.organisation_id):
        pass
    assert set(mentions(shop, owner.organisation_id)) == {
        "organisation", "billing_account", "billing_link", "membership", "deletion", "audit_content",
    }  # fmt: skip
    assert shop.account(owner).customer_id == customer
    assert shop.do(job.id, now=True).state == "succeeded"
    assert shop.customers(owner) == []
    assert "organisation" not in mentions(shop, owner.organisation_id)


def test_a_purge_that_failed_and_is_retried_by_hand_still_cancels_at_stripe(shop):
    owner = full(shop, "Harbour Works")
    due(shop, owner)
    shop.stripe.plan("DELETE", "/v1/customers", fail(500), times=2 * PURGE_ORGANISATION.attempts)
    job = purge(shop, owner)
    while job.state == "retrying":
        job = shop.do(job.id, now=True)
    assert job.state == "failed"
    shop.stripe.faults.clear()
    retry_job(shop.application, job.id, None, None)
    assert shop.do(job.id).state == "succeeded"
    assert shop.customers(owner) == []


def test_a_cancellation_that_never_happened_is_made_up_for(shop):
    owner = full(shop, "Harbour Works")
    delete_organisation(shop.application, owner)
    lapse(shop, owner)
    assert shop.truth(owner) == "active"
    purge(shop, owner)
    assert {one["status"] for one in shop.subscriptions(owner)} <= {"canceled"}
    assert shop.customers(owner) == []


@pytest.mark.parametrize("state", ["active", "in grace", "restored"])
def test_what_must_not_be_purged_is_left_alone(shop, state):
    owner = shop.organisation()
    if state != "active":
        delete_organisation(shop.application, owner)
    if state == "restored":
        restore_organisation(shop.application, owner)
    before = counts(shop)
    assert purge(shop, owner).state == "succeeded"
    assert counts(shop) == {**before, "job": before["job"] + 1}


def test_once_it_has_begun_there_is_no_way_back_whatever_the_clock_says(shop):
    owner = full(shop, "Harbour Works")
    due(shop, owner)
    shop.stripe.plan("*", "", fail(500))
    purge(shop, owner)
    with shop.control.autocommit() as connection:
        connection.execute(update(Organisation).values(deletion_at=now()))
    with pytest.raises(Refused, match="not_found"):
        restore_organisation(shop.application, owner)
    assert purge(shop, owner).state == "succeeded"


def test_two_purges_at_once_do_no_harm(shop):
    owner = full(shop, "Harbour Works")
    due(shop, owner)
    first, second = ask_purge(shop, owner), ask_purge(shop, owner)
    assert [shop.do(job).state for job in (first, second)] == ["succeeded", "succeeded"]
    assert kinds(shop).count("organisation.purged") == 1


def test_a_member_who_belongs_elsewhere_too_still_does(shop):
    owner, other = shop.organisation(), shop.organisation("Ferry Company")
    account = make_member(shop.application, other.organisation_id)
    join(shop.application, owner.organisation_id, account)
    ask(shop.control, MIGRATE_ORGANISATION, owner.organisation_id)
    due(shop, owner)
    purge(shop, owner)
    assert mentions(shop, account)["membership"] == 1
