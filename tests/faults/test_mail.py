"""A hundred mails while the mail server stalls, drops and greylists and workers' children are killed with -9.

Each recipient gets exactly one. The ledger says ``unknown`` of a mail that somebody waits for, where nobody can
know; a mail that must not be lost may come again then, under the same Message-ID.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
from sqlalchemy import select

from pigi.domain.access import Role
from pigi.domain.mail import MAIL_TEMPLATES, Promise, Template
from pigi.operations.mail.ledger import MAIL
from standins.mail.faults import FaultyMail, answer, drop, greylist, ok, stall
from tests.support.chance import a_seed
from tests.support.mail import Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standins.mail.faults import Behaviour
    from tests.support.stack import Process, Stack

MAILS = 100
KILLS = 4
"""Each holds a place of its lane until the lease ends: more kills make the drill longer, not harder."""
ALL_DONE_SECONDS = 90.0
STALL_SECONDS = 1.0

FIRST = [
    *[ok()] * 6, greylist(), answer("end", "451 4.3.0 Not now"),
    drop("greeting"), drop("rcpt"), drop("data"), drop("body"), drop("end"), drop("taken"),
    stall("rcpt", STALL_SECONDS), stall("end", STALL_SECONDS), stall("taken", STALL_SECONDS),
]  # fmt: skip
"""What meets the first try at a recipient; the second may be greylisted, and the rest go well."""


def sink_of(seed: int) -> FaultyMail:
    """A sink whose behaviour the seed decides, recipient by recipient."""

    def usual(recipient: str, number: int) -> Behaviour:
        chance = random.Random(f"{seed} {recipient} {number}")
        return chance.choice(FIRST) if number == 0 else chance.choice([ok(), greylist()]) if number == 1 else ok()

    sink = FaultyMail()
    sink.usual = usual
    return sink


@contextmanager
def killing(worker: Process, sink: FaultyMail, kills: int) -> Iterator[list[int]]:
    """Kill a child that the sink keeps waiting, so many times; yields the victims."""
    victims: list[int] = []
    over = threading.Event()
    port = int(sink.address.rsplit(":", 1)[1])

    def kill() -> None:
        while len(victims) < kills and not over.is_set():
            if not sink.stalled.acquire(timeout=0.1):
                continue
            for child in worker.children():
                with suppress(psutil.Error):
                    if any(found.raddr and found.raddr.port == port for found in child.net_connections("tcp")):
                        child.kill()
                        victims.append(child.pid)
                        break

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield victims
    finally:
        over.set()
        thread.join()


def ask(office: Office, organisations: list[str]) -> dict[str, str]:
    """The mails, of both promises and in several lanes, each with its recipient."""
    asked = {}
    for number in range(MAILS):
        email = f"recipient-{number}@example.org"
        if number % 5 == 0:
            where = organisations[number % len(organisations)]
            asked[office.invitation(where, Role.MEMBER, email=email)] = email
        else:
            asked[office.welcome(email) if number % 2 else office.password_changed(email)] = email
    return asked


def check(office: Office, asked: dict[str, str]) -> Counter[str]:
    """Hold what arrived against the ledger; how many are in each state."""
    with office.control.autocommit() as connection:
        ledger = {row.id: row for row in connection.execute(select(MAIL))}
    for mail, email in asked.items():
        arrived = office.sink.arrived(email)
        states = {"sent": {1}, "unknown": {0, 1}}
        if MAIL_TEMPLATES[Template(ledger[mail].template)].promise is Promise.AT_LEAST:
            states = {"sent": {1, 2, 3}}
        assert len(arrived) in states.get(ledger[mail].state, set()), (ledger[mail].template, ledger[mail].state)
        assert {arrival.message_id for arrival in arrived} <= {f"<{mail}@127.0.0.1>"}
    return Counter(ledger[mail].state for mail in asked)


def test_a_hundred_mails_among_failures_and_deaths_come_once_or_are_said_to_be_unknown(stack: Stack, note) -> None:
    seed = a_seed(7)
    note("seed", seed)
    with sink_of(seed) as sink:
        worker = stack.worker("quick", children=4, SMTP_URL=sink.url)
        office = Office(stack.application, sink)
        try:
            with killing(worker, sink, KILLS) as victims:
                asked = ask(office, [stack.another_organisation() for _ in range(2)])
                stack.wait([office.mail(mail, job=True) for mail in asked], ALL_DONE_SECONDS)
        finally:
            stack.forget("worker-quick")
        states = check(office, asked)
    assert victims, f"no kill met a mail (seed {seed})"
    assert states["sent"] > MAILS / 2
    note("unknown", states["unknown"])
    note("kills", len(victims))
    assert "recipient-" not in stack.log_texts()
