"""Money through the worst: webhooks five times, out of order, dropped, forged and stale, while workers die.

A real web server, a real Redis, real workers, the real SDK and a Stripe that times out after the act. What is
counted is what Stripe has, not what Pigi says.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from sqlalchemy import select

from pigi.domain.stripe_events import LOGGED
from pigi.jobs.model.transitions import JOB
from pigi.operations.billing import oversee, request_checkout, request_reconciliation
from pigi.store.base import ControlBase
from standins.stripe.faults import FaultyStripe, busy, drop_after, fail
from tests.support.billing import BUSINESS, Shop, charging
from tests.support.http import serve
from tests.support.monitor import Monitor
from tests.support.stack import Stack, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pigi.domain.access import Caller
    from tests.support.factories import Stores
    from tests.support.http import Server
    from tests.support.stack import Process

ORGANISATIONS = 10
COPIES = 5
DROPPED = 0.1
KILLS = 3
DONE_SECONDS = 120.0
WEBHOOK = "/api/v1/webhooks/stripe"


class Till:
    """An installation that charges, at work."""

    def __init__(self, stack: Stack, stripe: FaultyStripe, server: Server) -> None:
        self.stack, self.stripe, self.server = stack, stripe, server
        self.shop = Shop(stack.application, stripe)
        self.random = random.Random(20261125)
        self.lost: set[str] = set()

    def open_checkouts(self) -> dict[str, Caller]:
        """A checkout for each of many organisations, by the workers, while Stripe drops answers after the act."""
        owners = [self.shop.organisation(f"Works {number}") for number in range(ORGANISATIONS)]
        for path in ("/v1/customers", "/v1/checkout/sessions"):
            self.stripe.plan("POST", path, drop_after(), times=2)
            self.stripe.plan("POST", path, fail(500, after=True), times=1)
            self.stripe.plan("POST", path, busy(0.2), times=1)
        asked = {request_checkout(self.shop.application, owner, "team").id: owner for owner in owners}
        for job in self.stack.wait(asked, DONE_SECONDS):
            assert (job.state, job.reason) == ("succeeded", None)
        return asked

    def live(self, owner: Caller) -> None:
        """What may happen to a subscription within a month: its renewal has failed for some."""
        (subscription,) = self.shop.subscriptions(owner)
        name = subscription["id"]
        match self.random.randrange(5):
            case 0 if subscription["status"] == "past_due":
                self.stripe.retry_payment(name, pay=True)
            case 1 if subscription["status"] == "active":
                self.stripe.change_plan(name, BUSINESS)
            case 2:
                self.stripe.cancel_later(name)
            case 3:
                self.stripe.set_status(name, "canceled")
            case _:
                (charge, *_) = [
                    one for one in self.stripe.objects("charge") if one["customer"] == subscription["customer"]
                ]
                self.shop.refund(charge["id"], 100)

    def letters(self, bodies: list[bytes]) -> list[tuple[bytes, str]]:
        """Each event several times but for those that are lost, forgeries and stale ones among them, shuffled."""
        kept = [body for body in bodies if self.random.random() > DROPPED]
        self.lost = {json.loads(body)["id"] for body in set(bodies) - set(kept)}
        found = [(body, self.stripe.sign(body, at=_real_now())) for body in kept for _ in range(COPIES)]
        found += [
            (_forged(body), self.stripe.sign(_forged(body), "whsec_guessed", _real_now())) for body in bodies[:20]
        ]
        found += [(_forged(body), self.stripe.sign(_forged(body), at=_real_now() - 3600)) for body in bodies[:20]]
        self.random.shuffle(found)
        return found

    def post(self, letters: list[tuple[bytes, str]]) -> Counter[int]:
        """Deliver them over HTTP, eight at a time; how often each status was answered."""
        statuses: Counter[int] = Counter()
        waiting, lock = list(letters), threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    body, signature = waiting.pop()
                answered = _post(self.server, body, signature)
                with lock:
                    statuses[answered] += 1

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def unended(self) -> list[str]:
        """Jobs about money that have not ended."""
        with self.shop.control.autocommit() as connection:
            query = select(JOB.c.id).where(JOB.c.kind.like("billing.%"), JOB.c.finished_at.is_(None))
            return list(connection.execute(query).scalars())


def _real_now() -> int:
    """Stripe's clock was advanced; its signatures are of the present."""
    return int(time.time())


def _forged(body: bytes) -> bytes:
    """Another event, that Stripe never made."""
    value = json.loads(body)
    return json.dumps({**value, "id": f"{value['id']}forged"}).encode()


def _post(server: Server, body: bytes, signature: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", WEBHOOK, body, {"Content-Type": "application/json", "Stripe-Signature": signature})
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def killing(worker: Process, stripe: FaultyStripe, kills: int) -> Iterator[list[int]]:
    """Kill -9 children that are talking to Stripe, so many; yields the victims."""
    victims: list[int] = []
    over = threading.Event()
    port = stripe.server_address[1]

    def kill() -> None:
        while len(victims) < kills and not over.is_set():
            for child in worker.children():
                with suppress(psutil.Error):
                    if any(found.raddr and found.raddr.port == port for found in child.net_connections("tcp")):
                        child.kill()
                        victims.append(child.pid)
                        break
            over.wait(0.3)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield victims
    finally:
        over.set()
        thread.join()


@pytest.fixture(params=["sqlite", "postgresql"])
def till(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Till]:
    stores: Stores = request.getfixturevalue(f"{request.param}_stores")
    settings = stores.fresh(tmp_path / "home")
    with FaultyStripe() as stripe, Stack(charging(settings, stripe)) as stack:
        stack.redis()
        stack.worker("quick", 4)
        stack.worker("slow", 2)
        stack.beat()
        with serve(stack.settings, tmp_path / "web.log") as server:
            yield Till(stack, stripe, server)
    stores.clean(settings)


def test_webhooks_at_their_worst_end_with_what_stripe_says(till: Till) -> None:
    shop, stripe = till.shop, till.stripe
    asked = till.open_checkouts()
    owners = list(asked.values())
    for number, (job_id, owner) in enumerate(asked.items()):
        stripe.pay(shop.session(owner, job_id), ("good", "attaches_then_fails")[number % 2])
    stripe.advance(timedelta(days=32))
    for owner in owners * 2:
        if shop.truth(owner) != "canceled":
            till.live(owner)
    letters = till.letters(stripe.take_events())
    with killing(till.stack.processes["worker-quick"], stripe, KILLS) as victims:
        statuses = till.post(letters)
        until(lambda: not till.unended(), DONE_SECONDS, "all jobs about money ended")
    assert len(victims) == KILLS
    assert statuses.keys() == {200, 400}
    assert statuses[400] == 40
    assert not any(event.event_id.endswith("forged") for event in shop.events())

    (run,) = till.stack.wait([request_reconciliation(shop.application, "test").id], DONE_SECONDS)
    assert (run.state, run.reason) == ("succeeded", None)
    for owner in owners:
        assert shop.account(owner).status == shop.truth(owner)
        assert len(shop.customers(owner)) == 1
        assert len(shop.subscriptions(owner)) == 1
    sessions = Counter(one["metadata"]["job"] for one in stripe.objects("checkout.session"))
    assert sessions == Counter(dict.fromkeys(asked, 1))
    assert oversee(shop.application).waiting == 0
    _check_log(till)


def _check_log(till: Till) -> None:
    """A line for each turn of the money, and no other, but for what Stripe itself no longer tells after 30 days."""
    money: list[Any] = [one for one in till.stripe.account.of("event").values() if one["type"] in LOGGED]
    told = till.stripe.account.now() - 30 * 86_400
    theirs = {one["id"] for one in money if one["id"] not in till.lost or one["created"] > told}
    mine = Counter(line.event_id for line in till.shop.log())
    assert set(mine.values()) == {1}
    assert theirs <= mine.keys() <= {one["id"] for one in money}
    assert till.lost & mine.keys()


# Who paid, and with what


PRIVATE = ("Paula Payer", "paula@payer.example", "Payer Alley 77", "Payerville", "PC77431Q")
"""What is typed into Stripe's page."""


def test_nothing_that_was_typed_at_stripes_is_anywhere_at_pigis(till: Till) -> None:
    shop, stripe = till.shop, till.stripe
    monitor = Monitor(till.stack.place.socket)
    asked = till.open_checkouts()
    buyer = dict(zip(("name", "email", "line1", "city", "postal_code"), PRIVATE, strict=True))
    for job_id, owner in asked.items():
        stripe.pay(shop.session(owner, job_id), **buyer)
    owners = list(asked.values())
    stripe.renew(shop.subscriptions(owners[0])[0]["id"], pay=False)
    shop.refund(stripe.objects("charge")[0]["id"], 100)
    bodies = stripe.take_events()
    till.post([(body, stripe.sign(body, at=_real_now())) for body in bodies])
    until(lambda: not till.unended(), DONE_SECONDS, "all jobs about money ended")
    till.stack.wait([request_reconciliation(shop.application, "test").id], DONE_SECONDS)
    assert {shop.account(owner).status for owner in owners} <= {"active", "past_due"}

    told = b"".join(bodies)
    assert all(word.encode() in told for word in PRIVATE), "Stripe did tell"
    monitor.close()
    places = {"Redis": monitor.heard, **_everything_stored(till)}
    found = {place: [word for word in PRIVATE if word.encode() in data] for place, data in places.items()}
    assert {place: words for place, words in found.items() if words} == {}
    assert {place: cards for place, data in places.items() if (cards := card_numbers(data))} == {}
    assert card_numbers(b'{"number": "4242424242424242"}'), "the detector sees"


def _everything_stored(till: Till) -> dict[str, bytes]:
    """Every file of the installation, and every row of its control database in text."""
    home = till.stack.settings.home
    found = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with till.shop.control.autocommit() as connection:
        for table in ControlBase.metadata.sorted_tables:
            rows = [tuple(row) for row in connection.execute(select(table))]
            found[f"table {table.name}"] = repr(rows).encode()
    assert any(name.startswith("logs/") for name in found)
    return found


def card_numbers(data: bytes) -> list[bytes]:
    """What could be a card's number: 13 to 19 digits with a right check digit (ISO/IEC 7812-1, annex B)."""
    candidates = re.findall(rb"(?<![0-9a-fA-F.-])[0-9]{13,19}(?![0-9a-fA-F.-])", data)
    return [digits for digits in candidates if digits[:1] in b"3456" and _checks(digits)]


def _checks(digits: bytes) -> bool:
    values = [int(chr(digit)) for digit in reversed(digits)]
    doubled = [value * 2 - 9 if value > 4 else value * 2 for value in values[1::2]]
    return (sum(values[::2]) + sum(doubled)) % 10 == 0
