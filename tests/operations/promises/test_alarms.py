"""Operators are told of a line that turns, once, and not again while it flickers."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from pigi.clock import now
from pigi.domain.controls import State
from pigi.domain.mail import Template
from pigi.domain.promises import PROMISES
from pigi.errors import Permanent
from pigi.operations.mail.contents import find_content
from pigi.operations.operators import add_operator
from pigi.operations.promises import alarms, tell_changes
from pigi.operations.promises.standing import PromiseStanding
from pigi.store.ledgers import Mail
from tests.support.people import PASSWORD

LINE = "P04"


@pytest.fixture
def line(application, monkeypatch):
    """Lets a moment pass in which the line stands as given; what operators were told of it."""
    moment = now()

    def stands(state, minutes=5, **others):
        nonlocal moment
        moment += timedelta(minutes=minutes)
        states = {LINE: state, **others}
        standings = [PromiseStanding(one, "", states.get(one, State.HOLDING), ()) for one in PROMISES]
        monkeypatch.setattr(alarms, "promises_standing", lambda _application: standings)
        monkeypatch.setattr(alarms, "now", lambda: moment)
        return tell_changes(application).get(LINE)

    return stands


def _letters(application):
    with application.control.read() as session:
        mails = session.scalars(select(Mail).where(Mail.template == Template.PROMISE_ALARM).order_by(Mail.id)).all()
        return [letter for mail in mails for letter in _written(session, application, mail)]


def _written(session, application, mail):
    with suppress(Permanent):
        yield find_content(session, application, mail)


def test_a_line_that_turns_red_is_told_at_once_and_once_and_so_is_its_mending(application, line):
    for name in ("one", "two"):
        add_operator(application, f"{name}@example.org", name, PASSWORD)
    assert line(State.HOLDING) is None
    assert line(State.FAILING, P20=State.FAILING) == "failing"
    assert line(State.FAILING, minutes=600, P20=State.FAILING) is None
    letters = _letters(application)
    assert sorted(letter.recipient for letter in letters) == ["one@example.org", "two@example.org"]
    assert [line(State.HOLDING) for _ in range(13)] == [None] * 12 + ["fine"]
    again = [f"{one} {PROMISES[one]}" for one in (LINE, "P20")]
    assert [letter.facts["turned"] for letter in _letters(application)] == [[("These promises hold again:", again)]] * 2


def test_a_line_that_flickers_is_told_once(line):
    told = [line(state) for _ in range(10) for state in (State.FAILING, State.HOLDING, State.ATTESTED)]
    assert told == ["failing"] + [None] * 29


def test_silence_is_told_when_it_is_longer_than_a_restart(line):
    assert [line(State.STALE) for _ in range(3)] == [None] * 3
    assert line(State.HOLDING) is None
    assert [line(State.STALE) for _ in range(7)] == [None] * 6 + ["stale"]
    assert line(State.FAILING) == "failing"


def test_what_turned_again_before_a_mail_was_written_is_told_by_the_later_one(application, line):
    add_operator(application, "one@example.org", "one", PASSWORD)
    assert line(State.FAILING, P20=State.FAILING) == "failing"
    assert [line(State.HOLDING, P20=State.FAILING) for _ in range(13)][-1] == "fine"
    first, second = _letters(application)
    assert [what for what, _lines in first.facts["turned"]] == ["These promises are found broken:"]
    assert first.facts["turned"][0][1] == [f"P20 {PROMISES['P20']}"]
    assert second.facts["turned"][0][1] == [f"P04 {PROMISES['P04']}"]
