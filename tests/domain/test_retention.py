"""How long what is kept, as the promises say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pigi.domain.retention import PERIODS, RETRYABLE, Retention, cutoff, end, keep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIXED = {
    Retention.PURPOSE: timedelta(0),
    Retention.DRAFT: timedelta(hours=24),
    Retention.REGISTRATION: timedelta(hours=24),
    Retention.TOKEN: timedelta(hours=1),
    Retention.ADDRESS_UNDO: timedelta(days=7),
    Retention.SESSION: timedelta(hours=12),
    Retention.INVITATION: timedelta(days=14),
    Retention.ACCESS_KEY: timedelta(days=90),
    Retention.MAIL: timedelta(days=30),
    Retention.THROTTLE: timedelta(days=1),
    Retention.FAILED_SIGN_IN: timedelta(hours=1),
    Retention.AUDIT: timedelta(days=730),
    Retention.REQUEST_LOG: timedelta(days=14),
    Retention.ERROR_LOG: timedelta(days=30),
    Retention.USAGE: timedelta(days=2),
    Retention.JOB: timedelta(days=30),
    Retention.TOMBSTONE: timedelta(days=90),
    Retention.IDEMPOTENCY: timedelta(hours=24),
    Retention.COUNTER: timedelta(days=2),
    Retention.BILLING_LOG: timedelta(days=7 * 365 + 2),
    Retention.BILLING_EVENT: timedelta(days=30),
    Retention.BILLING_LINK: timedelta(hours=24),
    Retention.BILLING_RUN: timedelta(days=90),
    Retention.EXPORT: timedelta(days=7),
    Retention.EXPORT_RECORD: timedelta(days=30),
    Retention.IMPORT: timedelta(days=7),
    Retention.DELETION: timedelta(days=30),
    Retention.RECEIPT: timedelta(days=730),
    Retention.ERASURE: timedelta(days=90),
    Retention.BACKUP: timedelta(days=21),
    Retention.HOLD: timedelta(days=730),
    Retention.EVIDENCE: timedelta(days=90),
    Retention.PRIVACY_REQUEST: timedelta(days=730),
    Retention.NOTICE: timedelta(days=730),
    Retention.EGRESS: timedelta(days=30),
    Retention.TICKET: timedelta(days=730),
}


@pytest.mark.parametrize("retention", list(Retention))
def test_every_class_has_a_period_with_its_reason(retention):
    assert PERIODS[retention].since
    assert PERIODS[retention].reason


@pytest.mark.parametrize(("retention", "period"), FIXED.items())
def test_periods_are_those_of_the_policy(retention, period):
    assert keep(retention) == period


def test_a_purpose_goes_when_the_job_ends():
    assert cutoff(Retention.PURPOSE, NOON) == NOON


@pytest.mark.parametrize("year", [2019, 2020, 2025, 2096])
def test_a_billing_line_is_kept_for_seven_calendar_years_to_the_second(year):
    began = datetime(year + 1, 1, 1, tzinfo=UTC)
    over = datetime(year + 8, 1, 1, tzinfo=UTC)
    assert end(Retention.BILLING_LOG, began) == over
    assert cutoff(Retention.BILLING_LOG, over) == began
    assert cutoff(Retention.BILLING_LOG, over - timedelta(seconds=1)) < began


def test_a_period_is_told_in_words():
    told = {one: PERIODS[one].words for one in (Retention.TOKEN, Retention.JOB, Retention.PURPOSE, Retention.ACCOUNT)}
    assert told[Retention.TOKEN].startswith("1 hour after ")
    assert told[Retention.JOB] == "30 days after the end of the job"
    assert told[Retention.PURPOSE] == "until the end of the job"
    assert told[Retention.ACCOUNT] == "while the account is active"
    assert PERIODS[Retention.BILLING_LOG].words == "7 years after the end of its financial year"


def test_a_cutoff_lies_one_period_back():
    assert cutoff(Retention.JOB, NOON) == datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("retention", sorted(set(Retention) - set(FIXED)))
def test_a_class_without_a_fixed_time_has_no_cutoff(retention):
    with pytest.raises(ValueError, match="no fixed period"):
        cutoff(retention, NOON)


def test_a_failed_job_can_be_retried_for_a_week_and_its_row_lives_longer():
    assert timedelta(days=7) == RETRYABLE < keep(Retention.JOB)
