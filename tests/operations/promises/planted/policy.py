"""Violations of the controls of the policy."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, update

from pigi.clock import now
from pigi.domain.policy import NOTICE, Change, Policy
from pigi.operations.policy import policy_history
from pigi.operations.policy.versions import VERSION, add_version
from pigi.store.people import Account
from tests.support.people import make_account


@contextmanager
def another_version(world, policy, change, published_at, effective_at):
    with world.application.control.transaction() as connection:
        add_version(connection, policy, 2, change.value, (), published_at, effective_at, "pigi")
    try:
        yield
    finally:
        with world.application.control.transaction() as connection:
            connection.execute(delete(VERSION).where(VERSION.c.number == 2))


@contextmanager
def written_over(world, **values):
    """Within it, version 1 has other values."""
    this = update(VERSION).where(VERSION.c.number == 1)
    with world.application.control.transaction() as connection:
        before = connection.execute(VERSION.select().where(VERSION.c.number == 1)).one()
        connection.execute(this.values(values))
    try:
        yield
    finally:
        with world.application.control.transaction() as connection:
            connection.execute(this.values({name: getattr(before, name) for name in values}))


@contextmanager
def a_policy_without_complaint(world):
    policy = policy_history(world.application).current.policy
    plain = Policy(
        tuple(
            replace(
                section,
                sentences=tuple(
                    replace(one, text="Nobody is bound by this.") if "P33" in one.promises else one
                    for one in section.sentences
                ),
            )
            for section in policy.sections
        )
    )
    with another_version(world, plain, Change.WORDING, now(), now()):
        yield


@contextmanager
def a_text_that_was_changed(world):
    first = policy_history(world.application).versions[0]
    text = next(one for one in first.policy.sentences if "P33" not in one.promises).text
    with world.application.control.autocommit() as connection:
        stored = connection.execute(VERSION.select().where(VERSION.c.number == 1)).one().text
    with written_over(world, text=stored.replace(json.dumps(text, ensure_ascii=False), '"Something else."', 1)):
        yield


@contextmanager
def somebody_who_was_not_told(world):
    published = now() - timedelta(days=2)
    account = make_account(world.application)
    with world.application.control.autocommit() as connection:
        this = Account.__table__.c.id == account
        connection.execute(update(Account.__table__).where(this).values(created_at=published - timedelta(days=1)))
    policy = policy_history(world.application).current.policy
    try:
        with another_version(world, policy, Change.MATERIAL, published, published + NOTICE):
            yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(Account.__table__).where(this))


@contextmanager
def a_recipient_that_nobody_heard_of(world):
    facts = policy_history(world.application).versions[0].facts
    before = {**facts, "recipients": {key: words for key, words in facts["recipients"].items() if key != "stripe"}}
    with written_over(world, facts=json.dumps(before)):
        yield


PLANTED = {
    "complaint-is-said": a_policy_without_complaint,
    "policy-carries-its-date": a_text_that_was_changed,
    "material-changes-announced": somebody_who_was_not_told,
    "code-does-what-was-published": a_recipient_that_nobody_heard_of,
}
