"""A thousand people are told of a new policy while what tells them is killed: each once, or said to be unknown."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, insert, literal, select, update

from pigi.clock import now
from pigi.domain.policy import write_policy
from pigi.ids import new_id
from pigi.jobs.kinds import ANNOUNCE_POLICY, NOTIFY_OF_POLICY
from pigi.jobs.model.transitions import JOB, NOW
from pigi.operations.audit import CLI
from pigi.operations.policy import Proposal, count_notices, policy_history, publish_policy
from pigi.operations.policy.notices import ACCOUNT, NOTICE
from pigi.operations.policy.versions import VERSION
from pigi.store.instants import database_now
from standins.mail.faults import FaultyMail, ok, stall
from tests.faults.test_mail import killing
from tests.support.stack import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import Stack

PEOPLE = 1000
AT = "@policy.example"
KILLS = 3
ALL_TOLD_SECONDS = 120.0
SILENT = 12.0
"""What is left of a lease that has not been extended for 8 s: its heartbeat, due every 3 s, is dead."""
KINDS = (ANNOUNCE_POLICY.name, NOTIFY_OF_POLICY.name)

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


def sink() -> FaultyMail:
    """A sink that keeps every fiftieth recipient waiting, with the mail taken, when it first comes."""
    made = FaultyMail()
    made.usual = lambda recipient, number: (
        stall("taken", 1.0) if number == 0 and recipient in {f"{n}{AT}" for n in range(7, PEOPLE, 50)} else ok()
    )
    return made


@contextmanager
def people(stack: Stack) -> Iterator[None]:
    """So many accounts; whatever came of the policy goes with them."""
    rows = [
        {"id": new_id(), "kind": "person", "name": "Ada", "email": f"{n}{AT}", "password_hash": "!",
         "email_key": f"{n}{AT}", "state": "active", "created_at": now(), "password_changed_at": now()}
        for n in range(PEOPLE)
    ]  # fmt: skip
    with stack.application.control.transaction() as connection:
        connection.execute(insert(ACCOUNT), rows)
    try:
        yield
    finally:
        with stack.application.control.transaction() as connection:
            connection.execute(delete(NOTICE))
            connection.execute(delete(VERSION).where(VERSION.c.number > 1))
            connection.execute(delete(ACCOUNT).where(ACCOUNT.c.email.endswith(AT)))


def publish(stack: Stack, added: str) -> str:
    """Publish the newest version with this behind its first sentence; the change."""
    data = write_policy(policy_history(stack.application).newest.policy)
    data["sentences"][0]["text"] += added
    return publish_policy(stack.application, CLI, Proposal(data)).change.value


def told(stack: Stack) -> Counter[str]:
    """How many notices to these people are in each state; others of this installation are told, too.

    Leases of the dead are cut short, so that nobody waits for their end.
    """
    of_the_dead = update(JOB).where(
        JOB.c.kind.in_(KINDS), JOB.c.state == "running", JOB.c.lease_until < database_now(literal(SILENT))
    )
    theirs = NOTICE.c.account_id.in_(select(ACCOUNT.c.id).where(ACCOUNT.c.email.endswith(AT)))
    count = select(NOTICE.c.state, func.count()).where(theirs).group_by(NOTICE.c.state)
    with stack.application.control.autocommit() as connection:
        connection.execute(of_the_dead.values(lease_until=NOW))
        return Counter({row[0]: row[1] for row in connection.execute(count)})


def test_a_thousand_people_are_told_once_through_kills_and_of_words_alone_nobody_is(stack: Stack, note) -> None:
    with people(stack), sink() as office:
        quick = stack.worker("quick", children=4, SMTP_URL=office.url)
        slow = stack.worker("slow", children=1)
        try:
            with killing(quick, office, KILLS) as victims:
                assert publish(stack, " It is shared with advertisers.") == "material"
                until(lambda: told(stack).total() >= 100, 30, "the first are asked for")
                for child in slow.children():
                    child.kill()
                until(lambda: told(stack)["sent"] > PEOPLE // 4, ALL_TOLD_SECONDS, "some are told")
                quick.end()
                stack.mend()
                until(lambda: told(stack).total() >= PEOPLE and not told(stack)["queued"], ALL_TOLD_SECONDS, "all told")
            states = told(stack)
            arrived = Counter(one.recipient for one in office.arrivals if one.recipient.endswith(AT))
            assert set(arrived.values()) == {1}
            assert (states["failed"], states["sent"] + states["unknown"]) == (0, states.total())
            assert states["sent"] <= len(arrived)
            assert PEOPLE - len(arrived) <= states["unknown"] <= KILLS + 4
            assert publish(stack, " ;") == "wording"
            (counts,) = count_notices(stack.application)
            assert (counts.version, counts.waiting) == (2, 0)
            assert told(stack) == states
        finally:
            stack.forget("worker-quick")
            stack.forget("worker-slow")
    assert victims
    note("unknown", states["unknown"])
    assert AT not in stack.log_texts()
