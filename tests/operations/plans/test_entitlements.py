"""Plans' limits: who has which plan, what each limit counts and stops, and that what exists is never stopped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.domain.access import Action, Person, Role
from pigi.domain.plans import UNMETERED, Limit
from pigi.domain.preconditions import Tags
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.access import authorise
from pigi.operations.audit import chain as audit
from pigi.operations.audit import list_entries, list_own_entries
from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    change_project,
    create_project,
    create_resource,
    list_projects,
    list_resources,
    list_revisions,
    read_project,
    read_resource,
    replace_resource,
    unarchive_project,
    unarchive_resource,
)
from pigi.operations.generations import Target, accept_draft, discard_draft, request_generation
from pigi.operations.organisations import (
    Newcomer,
    accept_invitation,
    change_role,
    end_membership,
    invite,
    list_invitations,
    list_members,
    read_invitation,
    resend_invitation,
    revoke_invitation,
)
from pigi.operations.plans import plan_of, use_of
from pigi.store.billing import BillingAccount
from pigi.store.people import Account, Invitation
from tests.support.accounts import make_passwords_cheap, statements
from tests.support.contents import AGENT, DOCUMENT
from tests.support.factories import make_organisation
from tests.support.furnished import drafted
from tests.support.jobs import caller_of
from tests.support.people import make_account, make_invitation, make_member

ANY = Tags(anything=True)
CHARGED = {
    "stripe_prices": "price_t=team,price_b=business",
    "plans": '{"free": {"members": 3, "resources": 3, "generations_a_day": 2, "log_days": 10}}',
}
PASSWORD = "lantern orbit meadow 41"
MANY = 6
"""Requests that come together; each limit here leaves room for fewer."""


@pytest.fixture
def application(application):
    """One that charges, with a small free plan."""
    return charging(application)


def charging(application, **others):
    return replace(application, settings=application.settings.model_copy(update={**CHARGED, **others}))


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


@pytest.fixture
def owner(application, organisation):
    person = Person(make_member(application, organisation, Role.OWNER), new_id())
    return authorise(application, person, organisation, Action.INVITATIONS_CHANGE)


@pytest.fixture
def project(application, caller):
    return create_project(application, caller, "Shop").id


def set_plan(application, organisation, plan, granted=None):
    """What the sync of a subscription, or an operator, leaves."""
    with application.control.begin() as session:
        session.merge(BillingAccount(organisation_id=organisation, plan=plan, granted=granted))


def refusal_of(act, *arguments, **others):
    with pytest.raises(Refused) as refused:
        act(*arguments, **others)
    return refused.value


def assert_at_limit(most, what, act, *arguments, **others):
    refused = refusal_of(act, *arguments, **others)
    details = {name: refused.details[name] for name in ("limit", "plan", "what")}
    assert (refused.code, details) == ("plan_limit", {"limit": most, "plan": "Free", "what": what})
    assert refused.details["used"] + refused.details["adding"] > most


def together(act):
    """What each of `MANY` that begin at once comes to: ``done``, or the code it was refused with."""
    gate = Barrier(MANY)

    def one(number):
        gate.wait()
        try:
            act(number)
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(MANY) as pool:
        return sorted(pool.map(one, range(MANY)))


def add(application, caller, project, name):
    return create_resource(application, caller, project, "agent", {**AGENT, "name": name})


def place_of(resource):
    return ResourceAddress(resource.project_id, resource.kind, resource.id)


def ask(application, caller):
    return request_generation(application, caller, "agent", "reviewer", "Reviews changes.")


def counted(application, caller):
    use = use_of(application, caller)
    return use.members, use.resources, use.generations_today


def count_of(application, table):
    with application.control.read() as session:
        return session.scalar(select(func.count()).select_from(table))


# Which plan


@pytest.mark.parametrize(
    ("plan", "granted", "name"),
    [
        (None, None, "free"),
        ("team", None, "team"),
        ("team", "business", "business"),
        ("business", "team", "team"),
        (None, "unmetered", "unmetered"),
        ("platinum", None, "free"),
    ],
)
def test_what_an_operator_gave_prevails_over_what_was_bought(application, organisation, plan, granted, name):
    set_plan(application, organisation, plan, granted)
    assert plan_of(application, organisation).name == name


def test_whoever_bought_nothing_has_the_free_plan_and_anothers_plan_is_not_theirs(
    application, organisation, control, tenants
):
    set_plan(application, make_organisation(control, tenants), "business")
    assert plan_of(application, organisation).name == "free"


def test_where_nobody_is_charged_no_plan_is_looked_up(application, organisation, caller, owner):
    set_plan(application, organisation, "free", "free")
    free = charging(application, stripe_prices="")
    shop = create_project(free, caller, "Shop").id
    with statements(application) as asked:
        assert plan_of(free, organisation) is UNMETERED
        for number in range(4):
            add(free, caller, shop, f"agent-{number}")
            invite(free, owner, f"{number}@example.com", Role.MEMBER)
            ask(free, caller)
        list_own_entries(free, caller)
    assert asked
    assert not [each for each in asked if "billing_account" in each]


def test_asking_for_a_draft_looks_the_plan_up_once(application, caller):
    with statements(application) as asked:
        ask(application, caller)
    assert len([each for each in asked if "billing_account" in each]) == 1


# Members


def test_members_and_open_invitations_fill_a_plan_together(application, owner):
    invite(application, owner, "one@example.com", Role.MEMBER)
    second = invite(application, owner, "two@example.com", Role.MEMBER)
    assert_at_limit(3, "members", invite, application, owner, "three@example.com", Role.MEMBER)
    revoke_invitation(application, owner, second.id)
    invite(application, owner, "three@example.com", Role.MEMBER)


def test_an_invitation_that_expired_takes_no_place(application, organisation, owner):
    make_invitation(application, organisation, owner.account_id)
    make_invitation(application, organisation, owner.account_id)
    with application.control.begin() as session:
        session.execute(update(Invitation).values(expires_at=now() - timedelta(seconds=1)))
    invite(application, owner, "one@example.com", Role.MEMBER)


def test_who_is_invited_already_can_be_invited_again_in_a_full_plan(application, organisation, owner):
    view = invite(application, owner, "one@example.com", Role.MEMBER)
    make_member(application, organisation)
    make_member(application, organisation)
    assert invite(application, owner, "one@example.com", Role.ADMIN).role is Role.ADMIN
    assert resend_invitation(application, owner, view.id).id == view.id


def test_joining_takes_the_place_that_the_invitation_had(application, organisation, owner):
    tokens = [
        make_invitation(application, organisation, owner.account_id, email)[1]
        for email in ("one@example.com", "two@example.com")
    ]
    for token, email in zip(tokens, ("one@example.com", "two@example.com"), strict=True):
        accept_invitation(application, token, Person(make_account(application, email=email), new_id()), Newcomer())
    assert len(list_members(application, owner)) == 3


@pytest.mark.parametrize("has_account", [True, False])
def test_a_plan_that_shrank_keeps_whoever_is_invited_out_and_their_link_whole(
    application, organisation, owner, has_account, monkeypatch
):
    make_passwords_cheap(monkeypatch)
    set_plan(application, organisation, "team")
    token = make_invitation(application, organisation, owner.account_id, "one@example.com")[1]
    account = make_account(application, email="one@example.com") if has_account else None
    newcomer = Newcomer() if has_account else Newcomer("Nora New", PASSWORD)
    person = Person(account, new_id()) if account else None
    make_member(application, organisation)
    make_member(application, organisation)
    set_plan(application, organisation, None)
    accounts = count_of(application, Account)
    assert_at_limit(3, "members", accept_invitation, application, token, person, newcomer)
    assert count_of(application, Account) == accounts
    assert read_invitation(application, token).email == "one@example.com"
    set_plan(application, organisation, "team")
    assert accept_invitation(application, token, person, newcomer).role is Role.MEMBER


def test_a_member_who_opens_an_old_invitation_is_not_counted_again(application, organisation, owner):
    account = make_member(application, organisation, email="one@example.com")
    token = make_invitation(application, organisation, owner.account_id, "one@example.com", Role.ADMIN)[1]
    for _ in range(2):
        make_member(application, organisation)
    assert accept_invitation(application, token, Person(account, new_id()), Newcomer()).role is Role.MEMBER


def test_of_invitations_that_come_together_as_many_pass_as_there_is_room(application, owner):
    got = together(lambda number: invite(application, owner, f"{number}@example.com", Role.MEMBER))
    assert got == ["done"] * 2 + ["plan_limit"] * 4
    assert len(list_invitations(application, owner)) == 2


def test_of_people_who_join_together_as_many_pass_as_there_is_room(application, organisation, owner):
    emails = [f"{number}@example.com" for number in range(MANY)]
    people = [Person(make_account(application, email=email), new_id()) for email in emails]
    tokens = [make_invitation(application, organisation, owner.account_id, email)[1] for email in emails]
    got = together(lambda number: accept_invitation(application, tokens[number], people[number], Newcomer()))
    assert got == ["done"] * 2 + ["plan_limit"] * 4
    assert len(list_members(application, owner)) == 3


# Resources


def test_active_resources_of_all_projects_fill_a_plan_together(application, caller, project):
    other = create_project(application, caller, "Docs").id
    first = add(application, caller, project, "a")
    add(application, caller, other, "b")
    create_resource(application, caller, other, "document", DOCUMENT)
    assert_at_limit(3, "resources", add, application, caller, project, "d")
    archive_resource(application, caller, place_of(first))
    add(application, caller, other, "d")
    assert_at_limit(3, "resources", unarchive_resource, application, caller, place_of(first))


def test_an_archived_projects_resources_take_no_room_until_it_is_back(application, caller, project):
    other = create_project(application, caller, "Docs").id
    kept = [add(application, caller, project, name) for name in "abc"]
    archive_resource(application, caller, place_of(kept[0]))
    archive_project(application, caller, project)
    made = [add(application, caller, other, name) for name in "xy"]
    assert_at_limit(3, "resources", unarchive_project, application, caller, project)
    assert read_project(application, caller, project).state == "archived"
    archive_resource(application, caller, place_of(made[0]))
    assert unarchive_project(application, caller, project).state == "active"
    assert_at_limit(3, "resources", add, application, caller, other, "z")


def test_a_project_without_resources_comes_back_over_the_limit_too(application, organisation, caller, project):
    empty = create_project(application, caller, "Empty").id
    archive_project(application, caller, empty)
    over(application, organisation, caller, project)
    assert unarchive_project(application, caller, empty).state == "active"
    assert unarchive_project(application, caller, project).state == "active"


def test_a_draft_needs_room_as_a_new_resource_and_none_as_a_revision(application, caller, project):
    target = place_of(add(application, caller, project, "a"))
    generation = drafted(application, caller)[0]
    for name in "bc":
        add(application, caller, project, name)
    assert_at_limit(3, "resources", accept_draft, application, caller, generation, Target(project))
    accepted = accept_draft(application, caller, generation, Target(project, target.resource_id, ANY))
    assert accepted.revision == 2


def test_of_resources_that_come_together_as_many_pass_as_there_is_room(application, caller):
    projects = [create_project(application, caller, f"Project {number}").id for number in range(MANY)]
    got = together(lambda number: add(application, caller, projects[number], "a"))
    assert got == ["done"] * 3 + ["plan_limit"] * 3
    assert use_of(application, caller).resources == 3


def test_of_projects_that_come_back_together_as_many_pass_as_there_is_room(application, caller):
    projects = [create_project(application, caller, f"Project {number}").id for number in range(MANY)]
    for project in projects:
        add(application, caller, project, "a")
        archive_project(application, caller, project)
    got = together(lambda number: unarchive_project(application, caller, projects[number]))
    assert got == ["done"] * 3 + ["plan_limit"] * 3
    assert use_of(application, caller).resources == 3


# Drafts in a day


def test_a_plans_drafts_of_a_day_are_over_until_the_next(application, caller):
    ask(application, caller)
    ask(application, caller)
    refused = refusal_of(ask, application, caller)
    seconds = refused.details.pop("retry_after")
    assert 0 < seconds <= 86_401
    assert (refused.code, refused.details) == (
        "plan_limit",
        {"limit": 2, "plan": "Free", "what": "generations_a_day", "used": 2, "adding": 1},
    )
    assert use_of(application, caller).generations_today == 2


def test_the_installations_limit_holds_where_it_is_the_smaller(application, caller):
    few = charging(application, generations_per_day=1)
    ask(few, caller)
    assert refusal_of(ask, few, caller).code == "too_many_today"


def test_of_drafts_asked_for_together_as_many_pass_as_the_day_has(application, caller):
    assert together(lambda _number: ask(application, caller)) == ["done"] * 2 + ["plan_limit"] * 4


def test_a_better_plan_counts_from_the_next_request_on(application, organisation, caller):
    ask(application, caller)
    ask(application, caller)
    assert refusal_of(ask, application, caller).code == "plan_limit"
    set_plan(application, organisation, "team")
    ask(application, caller)


# The log


def test_the_log_is_shown_as_far_back_as_the_plan_goes_and_stays_whole(
    application, organisation, caller, control, monkeypatch
):
    for age in (400, 40, 1):
        with control.begin() as session, monkeypatch.context() as patch:
            patch.setattr(audit, "now", lambda age=age: now() - timedelta(days=age))
            audit.record(session, application, "organisation.renamed", "operator:cli", organisation)
    shown = {}
    for plan in (None, "team", "business"):
        set_plan(application, organisation, plan)
        shown[plan] = [entry.seq for entry in list_own_entries(application, caller)]
    assert shown == {None: [3], "team": [3, 2], "business": [3, 2, 1]}
    set_plan(application, organisation, None)
    assert [entry.seq for entry in list_entries(application, organisation)] == [3, 2, 1]
    assert list_own_entries(application, caller, before=3) == []


# After a downgrade


def over(application, organisation, caller, project):
    """An organisation with more than its plan allows; its resources."""
    set_plan(application, organisation, "team")
    made = [add(application, caller, project, f"agent-{number}") for number in range(5)]
    for number in range(5):
        make_member(application, organisation, email=f"member-{number}@example.com")
    for _ in range(5):
        ask(application, caller)
    set_plan(application, organisation, None)
    return made


def test_an_organisation_over_its_limits_loses_nothing(application, organisation, caller, owner, project):
    made = over(application, organisation, caller, project)
    assert counted(application, caller) == (6, 5, 5)
    assert len(list_members(application, owner)) == 6
    assert len(list_resources(application, caller, project, "agent")) == 5
    assert [each.id for each in list_projects(application, caller)] == [project]
    assert read_resource(application, caller, place_of(made[0])) == made[0]


def test_what_exists_can_be_changed_and_taken_away_over_the_limits(application, organisation, caller, owner, project):
    generation = drafted(application, caller)[0]
    made = over(application, organisation, caller, project)
    place = place_of(made[0])
    assert replace_resource(application, caller, place, ANY, {**AGENT, "name": "other"}).revision == 2
    assert len(list_revisions(application, caller, place)) == 2
    assert change_project(application, caller, project, ANY, name="Store").name == "Store"
    discard_draft(application, caller, generation)
    assert archive_resource(application, caller, place).state == "archived"
    assert archive_project(application, caller, project).state == "archived"
    member = next(view for view in list_members(application, owner) if view.account_id != owner.account_id)
    change_role(application, owner, member.account_id, Role.ADMIN)
    end_membership(application, owner, member.account_id)
    assert counted(application, caller) == (5, 0, 6)


def test_an_organisation_over_its_limits_adds_nothing_more(application, organisation, caller, owner, project):
    over(application, organisation, caller, project)
    assert_at_limit(3, "members", invite, application, owner, "new@example.com", Role.MEMBER)
    assert_at_limit(3, "resources", add, application, caller, project, "new")
    assert refusal_of(ask, application, caller).details["what"] == Limit.GENERATIONS


# What is used


def test_use_is_counted_as_the_limits_count_it_and_for_one_organisation(
    application, organisation, caller, owner, control, tenants, project
):
    other = caller_of(make_organisation(control, tenants))
    assert counted(application, other) == (0, 0, 0)
    invite(application, owner, "one@example.com", Role.MEMBER)
    archive_resource(application, caller, place_of(add(application, caller, project, "a")))
    add(application, caller, project, "b")
    ask(application, caller)
    assert counted(application, caller) == (2, 1, 1)
    assert counted(application, other) == (0, 0, 0)
