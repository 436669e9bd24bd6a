"""Stripe's customer follows: its name is the organisation's, its address that of whoever has owned it longest."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pigi.domain.access import Person, Role
from pigi.ids import new_id
from pigi.jobs.kinds import FOLLOW_CONTACT
from pigi.jobs.model.transitions import JOB
from pigi.operations.accounts import confirm_address
from pigi.operations.credentials import ADDRESS
from pigi.operations.organisations import OrganisationChange, change_organisation, change_role, end_membership
from standins.stripe.faults import drop_after, drop_before, fail
from tests.support.billing import Shop
from tests.support.people import an_address, join, make_account, make_account_token


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def asked(shop):
    with shop.control.autocommit() as connection:
        return list(
            connection.execute(select(JOB.c.id).where(JOB.c.kind == FOLLOW_CONTACT.name).order_by(JOB.c.id)).scalars()
        )


def known(shop, owner):
    (customer,) = shop.customers(owner)
    return customer["name"], customer["email"]


def _move(shop, account_id, address=""):
    token = make_account_token(shop.application, ADDRESS, account_id, address)
    confirm_address(shop.application, token, Person(account_id, new_id()), "198.51.100.1")


def test_a_new_name_of_the_organisation_is_followed(shop):
    owner = shop.subscribed()
    change_organisation(shop.application, owner, OrganisationChange(name="Lighthouse Works"))
    (job,) = asked(shop)
    assert shop.do(job).state == "succeeded"
    assert known(shop, owner)[0] == "Lighthouse Works"
    assert shop.effects(job)["contact"].state == "done"


def test_a_new_address_of_the_owner_is_followed(shop):
    owner = shop.subscribed()
    address = an_address()
    _move(shop, owner.account_id, address)
    (job,) = asked(shop)
    shop.do(job)
    assert known(shop, owner)[1] == address


def test_another_owner_takes_over_when_the_first_leaves(shop):
    owner = shop.subscribed()
    address = an_address()
    second = make_account(shop.application, email=address)
    join(shop.application, owner.organisation_id, second, Role.MEMBER)
    change_role(shop.application, owner, second, Role.OWNER)
    for job in asked(shop):
        shop.do(job)
    assert known(shop, owner)[1] != address
    end_membership(shop.application, owner, owner.account_id)
    shop.do(asked(shop)[-1])
    assert known(shop, owner)[1] == address


def test_changes_that_concern_no_owner_ask_for_nothing(shop):
    owner = shop.subscribed()
    member = make_account(shop.application)
    join(shop.application, owner.organisation_id, member, Role.MEMBER)
    change_role(shop.application, owner, member, Role.ADMIN)
    end_membership(shop.application, owner, member)
    assert asked(shop) == []


def test_nothing_of_an_organisation_that_is_no_customer_is_sent(shop):
    owner = shop.organisation()
    change_organisation(shop.application, owner, OrganisationChange(name="Lighthouse Works"))
    assert asked(shop) == []
    assert shop.stripe.requests == []


def test_each_organisation_of_an_account_follows(shop):
    owner, other = shop.subscribed(), shop.subscribed()
    join(shop.application, other.organisation_id, owner.account_id, Role.MEMBER)
    _move(shop, owner.account_id)
    assert len(asked(shop)) == 2


@pytest.mark.parametrize("fault", [drop_after(), drop_before(), fail(500), fail(429)], ids=lambda fault: fault.name)
def test_it_is_tried_again_until_it_is_done(shop, fault):
    owner = shop.subscribed()
    change_organisation(shop.application, owner, OrganisationChange(name="Lighthouse Works"))
    (job,) = asked(shop)
    shop.stripe.plan("POST", "/v1/customers/", fault)
    assert shop.do(job).state == "retrying"
    assert shop.do(job, now=True).state == "succeeded"
    assert known(shop, owner)[0] == "Lighthouse Works"


def test_two_changes_that_overlap_end_with_the_later(shop):
    """The first job reads the old name, and writes it after the second job has written the new one."""
    owner = shop.subscribed()
    change_organisation(shop.application, owner, OrganisationChange(name="First"))
    first, provider = asked(shop)[0], shop.provider

    class Overtaken:
        """Lets the second change be made and followed between the first job's read and its write."""

        def __init__(self):
            self.done = False

        def __getattr__(self, name):
            return getattr(provider, name)

        def update_customer(self, customer_id, contact, key):
            if not self.done:
                self.done = True
                change_organisation(shop.application, owner, OrganisationChange(name="Second"))
                provider.update_customer(customer_id, type(contact)("Second", contact.email), f"{key}-second")
            provider.update_customer(customer_id, contact, key)

    shop.worker_context.gateways.__dict__["billing"] = Overtaken()
    shop.do(first)
    assert known(shop, owner)[0] == "Second"
