"""How a promise stands follows from its controls, and from how long ago they were looked at."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest

from pigi.clock import now
from pigi.domain.controls import EVERY, VALID, Control, Evidence, Finding
from pigi.domain.promises import PROMISES
from pigi.operations.promises import all_controls, check_controls, promises_standing

PLACES = ("checking", "evidence", "standing")


@contextmanager
def at(moment):
    with pytest.MonkeyPatch.context() as patch:
        for place in PLACES:
            patch.setattr(f"pigi.operations.promises.{place}.now", lambda: moment)
        yield


def test_nothing_is_green_before_it_was_looked_at(application):
    standings = promises_standing(application)
    assert [standing.id for standing in standings] == list(PROMISES)
    assert {standing.state for standing in standings} == {"stale"}


def test_a_finding_goes_stale_by_itself_within_a_quarter_of_an_hour(application):
    check_controls(application, all_controls().values())
    control = next(iter(all_controls().values()))
    assert _state(application, control.promise) == "holding"
    with at(now() + VALID + timedelta(seconds=1)):
        assert _state(application, control.promise) == "stale"
    assert EVERY * 2 < VALID <= timedelta(minutes=15)


def test_a_probe_that_comes_to_no_finding_is_no_evidence(application, monkeypatch):
    check_controls(application, all_controls().values())
    control = next(iter(all_controls().values()))

    def fail(_application):
        raise ValueError

    broken = Control(control.name, control.promise, control.kind, fail, control.shows, control.does_not_show)
    with at(now() + VALID + timedelta(seconds=1)):
        assert check_controls(application, [broken]) == {control.name: None}
        standing = next(one for one in promises_standing(application) if one.id == control.promise)
    found = next(one for one in standing.controls if one.control.name == control.name)
    assert (found.state, found.trouble) == ("stale", "ValueError")


def test_a_violation_stays_red_until_it_is_seen_to_be_mended(application):
    control = next(iter(all_controls().values()))
    kept = (control.name, control.promise, Evidence.OBSERVED)
    check_controls(application, [Control(*kept, lambda _application: Finding(False, "seen"), "", "")])
    with at(now() + timedelta(days=1)):
        assert _state(application, control.promise) == "failing"
        check_controls(application, all_controls().values())
        assert _state(application, control.promise) == "holding"


def test_what_a_clock_found_that_was_ahead_does_not_count_when_it_is_back(application):
    control = next(iter(all_controls().values()))
    with at(now() + timedelta(days=400)):
        check_controls(application, [control])
    assert _state(application, control.promise) == "stale"
    check_controls(application, all_controls().values())
    assert _state(application, control.promise) == "holding"


def _state(application, promise):
    return next(standing.state for standing in promises_standing(application) if standing.id == promise)
