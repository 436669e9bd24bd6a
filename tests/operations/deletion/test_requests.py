"""Deleting an organisation: access and money end at once, nothing requested before happens, and it can be undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Action, Caller, Person, Role, role_may
from pigi.domain.retention import GRACE
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.heartbeats import last_notes
from pigi.jobs.kinds import CLOSE_ORGANISATION, MIGRATE_ORGANISATION, PURGE_ORGANISATION, SWEEP_ORGANISATIONS
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import AccessGrant, authorise, still_granted
from pigi.operations.accounts import find_person
from pigi.operations.api_keys import authenticate
from pigi.operations.billing import ACCOUNT
from pigi.operations.deletion import delete_organisation, restore_organisation
from pigi.operations.generations import request_generation
from pigi.operations.jobs import cancel_job
from pigi.operations.organisations import organisations_of, read_organisation
from pigi.operations.plans import plan_of
from pigi.store.control import Organisation
from pigi.store.deletions import Deletion
from pigi.store.ledgers import AuditContent, AuditEntry
from standins.stripe.faults import busy, drop_after, drop_before, fail
from tasks import generations, organisations  # noqa: F401 - these register bodies
from tests.support.billing import Shop
from tests.support.jobs import ask, refuse, row_of
from tests.support.people import make_key, make_member, make_session

CHANGES = {Action.ORGANISATION_DELETE, Action.ORGANISATION_RESTORE, Action.EXPORT}
OPEN = {action for action in Action if action.name.endswith("_READ")} | CHANGES
"""What an owner may while the organisation is being deleted: read, take along, and turn back."""


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


@pytest.fixture
def owner(shop):
    return shop.organisation()


def delete(shop, owner):
    """Request the deletion; the id of the job that cancels at Stripe."""
    return delete_organisation(shop.application, owner).id


def row(shop, owner):
    with shop.control.read() as session:
        return session.execute(
            select(Organisation.state, Organisation.epoch, Organisation.deletion_at).where(
                Organisation.id == owner.organisation_id
            )
        ).first()


def age(shop, owner, period):
    """Make the deletion look as if it had been requested so long ago."""
    with shop.control.autocommit() as connection:
        began = now() - period
        moved = update(Organisation).where(Organisation.id == owner.organisation_id).values(deletion_at=began)
        connection.execute(moved)
        ended = {"requested_at": began, "restorable_until": began + GRACE}
        connection.execute(update(Deletion).where(Deletion.subject_id == owner.organisation_id).values(ended))


def sweep(shop):
    """What the hourly job does; the jobs that it queued, by kind."""
    assert shop.do(ask(shop.control, SWEEP_ORGANISATIONS)).state == "succeeded"
    with shop.control.autocommit() as connection:
        queued = (JOB.c.requested_by == "schedule", JOB.c.state == "queued")
        asked = select(JOB.c.id, JOB.c.kind).where(*queued)
        return {kind: job_id for job_id, kind in connection.execute(asked)}


def acts(shop):
    query = select(AuditEntry.kind, AuditContent.actor, AuditContent.organisation_id)
    query = query.join_from(AuditEntry, AuditContent, AuditContent.seq == AuditEntry.seq).order_by(AuditEntry.seq)
    with shop.control.read() as session:
        return [tuple(found) for found in session.execute(query)]


def person_of(account_id):
    return Person(account_id, new_id())


# Access


def test_a_deleted_organisation_is_closed_to_everybody_at_once(shop, owner):
    admin = make_member(shop.application, owner.organisation_id, Role.ADMIN)
    key = make_key(shop.application, owner.organisation_id)
    delete(shop, owner)
    for action in Action:
        # What their role would never allow they are told as always.
        with pytest.raises(Refused, match="not_found" if role_may(Role.ADMIN, action) else "forbidden"):
            authorise(shop.application, person_of(admin), owner.organisation_id, action)
    with pytest.raises(Refused, match="unauthenticated"):
        authenticate(shop.application, key)
    assert organisations_of(shop.application, person_of(admin), deleted=True) == []


def test_an_owner_still_reads_all_of_it_and_may_restore_it_and_changes_nothing_else(shop, owner):
    delete(shop, owner)
    olga = person_of(owner.account_id)

    for action in OPEN:
        found = authorise(shop.application, olga, owner.organisation_id, action)
        assert replace(found, confirmed=owner.confirmed) == owner
    for action in set(Action) - OPEN:
        with pytest.raises(Refused, match="not_found"):
            authorise(shop.application, olga, owner.organisation_id, action)
    assert organisations_of(shop.application, olga) == []
    (seen,) = organisations_of(shop.application, olga, deleted=True)
    assert (seen.id, seen.state, seen.purge_at) == (owner.organisation_id, "deleting", seen.deletion_at + GRACE)
    assert read_organisation(shop.application, owner) == seen


def test_every_access_grant_ends_but_an_owners_to_read_and_to_follow_the_deletion(shop, owner):
    application, where = shop.application, owner.organisation_id
    people = [owner.account_id, make_member(application, where, Role.ADMIN)]
    sessions = [find_person(application, make_session(application, account)).session_id for account in people]
    key = authenticate(application, make_key(application, where)).key_id
    grants = [AccessGrant(where, session) for session in sessions] + [AccessGrant(where, key_id=key)]
    following = [AccessGrant(where, session, deletion=True) for session in sessions]
    assert still_granted(application, [*grants, *following], Action.JOBS_READ) == {*grants, following[0]}
    delete(shop, owner)
    assert still_granted(application, [*grants, *following], Action.JOBS_READ) == {grants[0], following[0]}
    assert still_granted(application, [*grants, *following], Action.GENERATE) == {following[0]}


def test_only_an_owner_may_delete_and_restore(shop, owner):
    admin = Caller(owner.organisation_id, Role.ADMIN, make_member(shop.application, owner.organisation_id, Role.ADMIN))
    with pytest.raises(Refused, match="forbidden"):
        delete_organisation(shop.application, admin)
    delete(shop, owner)
    for act in (delete_organisation, restore_organisation):
        with pytest.raises(Refused, match="forbidden"):
            act(shop.application, admin)


def test_a_members_other_organisations_go_on(shop, owner):
    other = shop.organisation("Ferry Company")
    delete(shop, owner)
    assert authorise(shop.application, person_of(other.account_id), other.organisation_id, Action.GENERATE)


# Jobs


def test_what_waits_when_it_is_deleted_never_starts_also_after_a_restoration(shop, owner):
    waiting = [request_generation(shop.application, owner, "agent", f"r{n}", "Reviews.").id for n in range(2)]
    delete(shop, owner)
    fenced = shop.do(waiting[0])
    assert (fenced.state, fenced.reason) == ("cancelled", "fenced")
    restore_organisation(shop.application, owner)
    assert shop.do(waiting[1]).reason == "fenced"
    again = request_generation(shop.application, owner, "agent", "again", "Reviews.").id
    assert row_of(shop.control, again).epoch == row(shop, owner).epoch == 3


def test_nothing_new_is_asked_for(shop, owner):
    delete(shop, owner)
    with pytest.raises(Refused, match="organisation_closed"):
        request_generation(shop.application, owner, "agent", "reviewer", "Reviews.")


def test_a_repeated_request_answers_with_the_cancellation_that_is_under_way(shop, owner):
    first = delete(shop, owner)
    began = row(shop, owner)
    assert delete(shop, owner) == first
    assert row(shop, owner) == began
    assert [kind for kind, *_ in acts(shop)].count("organisation.deletion_started") == 1


# Money


def test_the_subscription_ends_and_is_stored_as_stripe_has_it(shop):
    owner = shop.subscribed()
    job = shop.do(delete(shop, owner))
    assert (job.state, job.organisation_id, job.subject_id) == ("succeeded", None, owner.organisation_id)
    assert shop.truth(owner) == shop.account(owner).status == "canceled"
    (effect,) = shop.effects(job.id).values()
    assert (effect.key.partition(":")[0], effect.state) == ("subscription", "done")
    assert shop.subscriptions(owner)[0]["id"] not in str(effect)
    assert shop.standing(owner) == ("canceled", None)


def test_a_checkout_that_is_open_can_no_longer_be_paid_and_a_late_invoice_is_not_collected(shop):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.renew(subscription["id"], pay=False)
    shop.do(delete(shop, owner))
    assert {one["status"] for one in shop.stripe.objects("invoice") if one["status"] != "paid"} == {"void"}
    other = shop.organisation("Ferry Company")
    shop.checkout(other)
    shop.do(delete(shop, other))
    assert [one["status"] for one in shop.stripe.objects("checkout.session")][-1] == "expired"


@pytest.mark.parametrize("fault", [fail(500), fail(500, after=True), drop_before(), drop_after(), busy()])
@pytest.mark.parametrize("call", [("GET", "/v1/customers"), ("GET", "/v1/subscriptions"), ("DELETE", "/v1/sub")])
def test_while_stripe_is_away_the_cancellation_is_tried_again_until_it_is_done(shop, call, fault):
    owner = shop.subscribed()
    shop.stripe.plan(*call, fault)
    job_id = delete(shop, owner)
    states = [shop.do(job_id, now=True).state for _ in range(2)]
    assert states in (["retrying", "succeeded"], ["succeeded", "succeeded"])
    assert shop.truth(owner) == shop.account(owner).status == "canceled"


def test_a_cancellation_that_failed_or_was_stopped_is_queued_again_until_one_succeeded(shop):
    owner = shop.subscribed()
    first = delete(shop, owner)
    assert sweep(shop) == {}
    cancel_job(shop.application, first, None)
    second = sweep(shop)[CLOSE_ORGANISATION.name]
    assert sweep(shop) == {CLOSE_ORGANISATION.name: second}
    assert shop.do(second).state == "succeeded"
    assert shop.truth(owner) == "canceled"
    assert sweep(shop) == {}


def test_a_deletion_that_cannot_be_looked_at_keeps_no_other_waiting(shop):
    owners = [shop.organisation() for _ in range(3)]
    for owner in owners:
        delete(shop, owner)
        age(shop, owner, GRACE + timedelta(hours=1))
    with shop.control.read() as session:
        first, stuck, last = session.scalars(select(Deletion.id).order_by(Deletion.id))
    refuse(shop.control, "INSERT", "job", f"NEW.subject_id = '{stuck}'")
    sweep(shop)
    with shop.control.autocommit() as connection:
        asked = select(JOB.c.subject_id).where(JOB.c.kind == PURGE_ORGANISATION.name)
        assert set(connection.execute(asked).scalars()) == {first, last}
        assert last_notes(connection)["each organisations.sweep"] == "skipped 1 of 3"


def test_a_purchase_that_slipped_through_is_ended_too(shop, owner):
    session = shop.session(owner, shop.checkout(owner))
    job = delete(shop, owner)
    shop.stripe.pay(session)
    shop.do(job)
    with shop.control.autocommit() as connection:
        # As if the closing had looked a moment before the payment.
        connection.execute(update(JOB).where(JOB.c.id == job).values(state="succeeded"))
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "active")
    shop.hear()
    assert shop.account(owner).status == "active"
    shop.do(sweep(shop)[CLOSE_ORGANISATION.name])
    assert shop.truth(owner) == shop.account(owner).status == "canceled"


def test_events_of_its_subscription_are_still_received(shop):
    owner = shop.subscribed()
    delete(shop, owner)
    shop.stripe.set_status(shop.subscriptions(owner)[0]["id"], "past_due")
    assert {(job.state, job.organisation_id) for job in shop.hear()} == {("succeeded", None)}
    assert shop.account(owner).status == "past_due"


def test_reconciliation_brings_it_into_step(shop):
    owner = shop.subscribed()
    shop.do(delete(shop, owner))
    shop.stripe.take_events()
    with shop.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).values(status="active", plan="team"))
    assert shop.reconcile().drift == 1
    assert shop.standing(owner) == ("canceled", None)


def test_one_that_never_paid_is_closed_without_asking_stripe(shop, owner):
    asked = len(shop.stripe.requests)
    assert shop.do(delete(shop, owner)).state == "succeeded"
    assert len(shop.stripe.requests) == asked


# Restoring


def test_a_restored_organisation_is_as_it_was_but_for_its_subscription(shop):
    owner = shop.subscribed()
    member = make_member(shop.application, owner.organisation_id)
    key = make_key(shop.application, owner.organisation_id)
    shop.do(delete(shop, owner))
    view = restore_organisation(shop.application, owner)
    assert (view.state, view.deletion_at, view.purge_at) == ("active", None, None)
    assert authorise(shop.application, person_of(member), owner.organisation_id, Action.GENERATE)
    assert authenticate(shop.application, key).organisation_id == owner.organisation_id
    assert plan_of(shop.application, owner.organisation_id).name == "free"
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.hear()
    assert shop.standing(owner) == ("active", "team")
    assert [act for act in acts(shop) if act[0].startswith("organisation.")] == [
        ("organisation.deletion_started", owner.name, owner.organisation_id),
        ("organisation.restored", owner.name, owner.organisation_id),
    ]


def test_a_restoration_stops_the_cancellation_so_that_the_subscription_goes_on(shop):
    owner = shop.subscribed()
    job_id = delete(shop, owner)
    restore_organisation(shop.application, owner)
    assert shop.do(job_id).state == "cancelled"
    assert shop.truth(owner) == shop.account(owner).status == "active"
    assert CLOSE_ORGANISATION.name not in sweep(shop)


def test_a_cancellation_that_runs_during_a_restoration_ends_nothing_more(shop):
    owner = shop.subscribed()
    job_id = delete(shop, owner)

    def restore_meanwhile(*_arguments):
        restore_organisation(shop.application, owner)
        return original(*_arguments)

    original = shop.provider.subscriptions_of
    shop.provider.subscriptions_of = restore_meanwhile
    job = shop.do(job_id)
    assert (job.state, shop.effects(job_id)) == ("cancelled", {})
    assert shop.truth(owner) == "active"


def test_a_restored_organisation_catches_up_with_a_release(shop, owner):
    delete(shop, owner)
    with shop.control.autocommit() as connection:
        connection.execute(update(Organisation).values(schema_revision="0001"))
    restore_organisation(shop.application, owner)
    with shop.control.autocommit() as connection:
        kinds = connection.execute(select(JOB.c.kind).where(JOB.c.organisation_id == owner.organisation_id))
        assert kinds.scalars().all() == [MIGRATE_ORGANISATION.name]


def test_after_the_grace_period_nothing_is_restored_and_the_removal_is_asked_for_once(shop, owner):
    shop.do(delete(shop, owner))
    age(shop, owner, GRACE - timedelta(minutes=1))
    assert sweep(shop) == {}
    age(shop, owner, GRACE)
    with pytest.raises(Refused, match="not_restorable"):
        restore_organisation(shop.application, owner)
    due = sweep(shop)
    assert list(due) == [PURGE_ORGANISATION.name]
    assert sweep(shop) == due


def test_one_that_is_not_being_deleted_has_nothing_to_restore(shop, owner):
    with pytest.raises(Refused, match="not_restorable"):
        restore_organisation(shop.application, owner)
    assert row(shop, owner).epoch == 1
