"""What operators see of usage: what is shown, what is left out, and nothing to work the rest out from."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from pigi.clock import now
from pigi.domain.usage import FEATURES
from pigi.operations.usage import aggregate_usage, read_usage
from pigi.store.log_entries import USAGE
from tests.operations.usage.test_counting import DAY, application, use  # noqa: F401 - a fixture
from tests.support.audits import Unhurried
from web.http.logs import EVENTS


def test_sums_hold_what_is_shown_and_nothing_else(application):  # noqa: F811 - the fixture
    use(application, "generation.asked", 12, times=3)
    use(application, "key.made", 9, times=100)
    aggregate_usage(Unhurried(), application)
    view = read_usage(application, 7)
    last = view.days[-1]
    assert (last.day, last.total, last.shown, last.left_out) == ((now() - DAY).date(), 40, 1, len(FEATURES) - 1)
    counts = {feature.event: feature.counts[-1] for feature in view.features}
    # What nobody used looks like what too few used.
    assert (counts["generation.asked"], counts["key.made"], counts["audit.read"]) == (40, None, None)


def test_a_day_that_waits_to_be_counted_is_not_shown(application):  # noqa: F811 - the fixture
    with application.control.transaction() as connection:
        row = {"at": now() - timedelta(days=1), "event": "key.made", "organisation_id": "o" * 36}
        connection.execute(insert(USAGE), [row])
    assert read_usage(application, 7).days[-1].day == (now() - 2 * DAY).date()


def test_whatever_is_noted_is_a_feature_with_a_title():
    assert set(EVENTS.values()) == set(FEATURES)
