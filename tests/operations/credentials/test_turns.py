"""Dear work in turn, by network: whoever asks for much keeps nobody else waiting."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from sqlalchemy import delete

from pigi.clock import now
from pigi.domain.throttles import SIGN_IN
from pigi.errors import Refused
from pigi.operations.accounts import sign_in
from pigi.operations.credentials import acquire, hashing, try_acquire
from pigi.operations.credentials.throttling import THROTTLE
from pigi.operations.credentials.turns import Turns
from tests.support.accounts import Clock, statements
from tests.support.stack import until

GREEDY, MODEST, THIRD = "198.51.100.1", "203.0.113.9", "203.0.113.10"


def refusal_of(act, *arguments):
    with pytest.raises(Refused) as refusal:
        act(*arguments)
    return refusal.value.code


class Crowd:
    """Requests that take a place and a turn each, and keep the turn until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.refused: list[str] = []
        self.threads: list[threading.Thread] = []
        self.free = threading.Semaphore(0)

    def come(self, network: str) -> None:
        """One more, and wait until it is at work, waits, or is refused."""
        before = self._seen()
        self.threads.append(threading.Thread(target=self._work, args=(network,)))
        self.threads[-1].start()
        until(lambda: self._seen() > before, 5, f"{network} is in")

    def _seen(self) -> int:
        return len(self.order) + len(self.refused) + len(self.turns._waiting)

    def _work(self, network: str) -> None:
        try:
            with self.turns.place(network), self.turns.turn():
                self.order.append(network)
                self.free.acquire()
        except Refused:
            self.refused.append(network)

    def end(self) -> None:
        """Let all go, one after another."""
        while any(thread.is_alive() for thread in self.threads):
            self.free.release()
            for thread in self.threads:
                thread.join(0.01)


@pytest.fixture
def crowd():
    made = Crowd(Turns(places=4, share=3, at_once=1))
    yield made
    made.end()


def test_a_network_has_its_share_and_the_rest_of_it_is_refused_at_once(crowd):
    for _ in range(6):
        crowd.come(GREEDY)

    assert (crowd.order, crowd.refused) == ([GREEDY], [GREEDY] * 3)


def test_while_one_network_works_the_other_is_called_first():
    crowd = Crowd(Turns(places=8, share=4, at_once=2))
    for network in (GREEDY, GREEDY, GREEDY, MODEST):
        crowd.come(network)
    crowd.free.release()
    until(lambda: len(crowd.order) == 3, 5, "the next is called")
    crowd.end()

    assert crowd.order[2] == MODEST


def test_when_all_is_full_the_network_that_has_most_gives_way_to_one_that_has_none(crowd):
    for network in (GREEDY, GREEDY, GREEDY, MODEST):
        crowd.come(network)
    crowd.threads.append(threading.Thread(target=crowd._work, args=(THIRD,)))
    crowd.threads[-1].start()
    until(lambda: crowd.refused, 5, "somebody gives way")
    crowd.end()

    assert crowd.refused == [GREEDY]
    assert THIRD in crowd.order
    assert not crowd.turns._held
    assert not crowd.turns._working


def test_nobody_gives_way_to_a_network_that_has_as_many():
    turns = Turns(places=2, share=2, at_once=1)
    with turns.place(GREEDY), turns.place(MODEST), pytest.raises(Refused):
        turns.place(THIRD).__enter__()


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, now())


def test_a_throttled_network_takes_no_place_writes_nothing_and_soon_reads_nothing(application, clock):
    """Also with an address that nobody has, and with a new one each time."""
    tried = sum(try_acquire(application, SIGN_IN, GREEDY, f"{number}@example.org") for number in range(40))
    with ExitStack() as full:
        for number in range(8):
            full.enter_context(hashing(application, SIGN_IN, f"203.0.113.{number}", f"{number}@example.org"))
        with statements(application) as said:
            codes = {
                refusal_of(sign_in, application, f"x{number}@example.org", "wrong", GREEDY) for number in range(50)
            }

    assert (tried, codes, said) == (30, {"too_many_tries"}, [])


def test_a_flood_at_one_account_is_refused_by_one_look(application, clock):
    for _ in range(5):
        acquire(application, SIGN_IN, GREEDY, "ada@example.org")

    with statements(application) as said:
        codes = {refusal_of(sign_in, application, "ada@example.org", "wrong", GREEDY) for _ in range(50)}

    assert codes == {"too_many_tries"}
    assert len(said) == 1
    assert said[0].lstrip().startswith("SELECT")
    assert try_acquire(application, SIGN_IN, MODEST, "ada@example.org")


def test_what_is_refused_is_looked_at_again_after_a_second(application, clock):
    """Another process may have freed it meanwhile, as a new password does."""
    for _ in range(6):
        try_acquire(application, SIGN_IN, GREEDY, "ada@example.org")
    with application.control.begin() as session:
        session.execute(delete(THROTTLE))

    assert not try_acquire(application, SIGN_IN, GREEDY, "ada@example.org")
    clock.move(seconds=1)
    assert try_acquire(application, SIGN_IN, GREEDY, "ada@example.org")


def test_right_passwords_cost_work_too_which_is_not_given_back(application, clock):
    """Else whoever has an account could keep every core busy."""
    for number in range(120):
        acquire(application, SIGN_IN, GREEDY, f"person-{number}@example.org").refund()

    assert not try_acquire(application, SIGN_IN, GREEDY, "ada@example.org")
    assert try_acquire(application, SIGN_IN, MODEST, "ada@example.org")


def test_many_networks_of_one_customer_share_its_work(application, clock):
    networks = [f"2001:db8:0:{number:x}::/64" for number in range(200)]

    assert sum(try_acquire(application, SIGN_IN, network, f"{network}@example.org") for network in networks) == 120
    assert try_acquire(application, SIGN_IN, "2001:db8:1::/64", "ada@example.org")
