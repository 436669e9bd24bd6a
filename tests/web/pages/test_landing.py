"""The landing page and the status page: what they show is read from the product, not written beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pigi.application import Application
from pigi.clock import now
from pigi.domain.promises import PROMISES
from pigi.domain.provider_failures import PART
from pigi.domain.resources.drafts import lint_draft, parse_draft
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import SWEEPS
from pigi.jobs.queues import QUEUES
from pigi.operations.health import interruptions_in
from pigi.store.billing import BillingPrice
from tests.support.jobs import ask, change
from tests.support.pages import BROWSER
from web.http.replies import as_json
from web.pages.landing import SHOWN
from web.pages.shell import sample
from web.pages.status import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings

BEGAN = datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    """An application that charges."""
    opened = Application.open(settings.model_copy(update={"stripe_prices": "price_month=team"}))
    yield opened
    opened.dispose()


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def test_the_draft_that_it_shows_is_one_that_could_be_accepted(client):
    draft = parse_draft(sample.KIND, as_json(sample.WRITTEN))

    assert [found for found in lint_draft(sample.KIND, draft, sample.NAME) if found.level == "error"] == []
    text = client.get("/", headers=BROWSER).get_data(as_text=True)
    assert sample.WRITTEN["description"] in text
    assert sample.PURPOSE in text


def test_plans_prices_and_promises_come_from_data(application, client):
    row = BillingPrice(
        price_id="price_month", amount=4900, currency="eur", interval="month", interval_count=1, active=True,
        read_at=now(),
    )  # fmt: skip
    with application.control.begin() as session:
        session.add(row)
    text = client.get("/", headers=BROWSER).get_data(as_text=True)

    assert "49.00 EUR a month" in text
    assert f"{application.plans.by_name['team'].most('members'):,} members" in text
    assert set(SHOWN) <= set(PROMISES)
    assert all(f'"/promises#{name}"' in text for name in SHOWN)


def test_the_status_page_says_what_does_not_work_in_words_of_its_own(client):
    text = client.get("/status", headers=BROWSER).get_data(as_text=True)

    assert "Something does not work." in text
    assert all(title in text for title, _ in PARTS.values())
    assert "queue " not in text
    assert "There are no records yet." in text
    assert "model provider" not in text


def test_a_refusing_model_is_not_called_all_well(application, client):
    with application.control.autocommit() as connection:
        for name in ("pump", *(f"queue {name}" for name in QUEUES)):
            record(connection, name)
        record(connection, PART, "provider_credit")
    text = client.get("/status", headers=BROWSER).get_data(as_text=True)

    assert "Everything works." not in text
    assert re.search(r"does not work as it should: [^<]*The model\.", text)
    assert "Takes no requests" in text


def test_the_status_page_shows_when_nothing_was_done(application, client):
    kind, moment = next(iter(SWEEPS.values())), now()
    for hours in (30.0, 20.0, 19.9):
        job = ask(application.control, kind)
        then = moment - timedelta(hours=hours)
        change(application.control, job, created_at=then, started_at=then, schedule=kind.name, period=str(hours))
    text = client.get("/status", headers=BROWSER).get_data(as_text=True)

    assert ">10 h<" in text
    assert "It goes on" in text


def test_pauses_between_jobs_and_jobs_that_wait_are_interruptions_and_touching_ones_are_one():
    busy = [(at(minute), at(minute)) for minute in range(0, 60, 4)]
    assert interruptions_in(busy, at(61)) == []
    assert interruptions_in([], at(61)) == []

    stopped = [*busy, (at(120), at(120))]
    assert [(one.began_at, one.ended_at) for one in interruptions_in(stopped, at(121))] == [(at(56), at(120))]

    waited = [*busy, (at(60), at(100)), *((at(minute), at(100)) for minute in range(64, 100, 4)), (at(100), at(100))]
    assert [(one.began_at, one.ended_at) for one in interruptions_in(waited, at(101))] == [(at(60), at(100))]

    assert [one.ended_at for one in interruptions_in(busy, at(90))] == [None]
    assert [one.ended_at for one in interruptions_in([*busy, (at(60), None)], at(80))] == [None]
