"""The billing log (P27): a line an event about money, what the law asks for, append-only, for seven years."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from pigi.clock import now
from pigi.domain.retention import Retention, cutoff, financial_year_end
from pigi.operations.billing.log import LINE
from pigi.operations.retention.removal import Removal
from pigi.operations.retention.sweeps import SWEEPS
from standins.stripe.faults import FaultyStripe, fail
from standins.stripe.server import Setup
from tests.support.billing import Shop

(SWEEP,) = (sweep for sweep in SWEEPS if sweep.retention is Retention.BILLING_LOG)


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def add_line(control, year_end, event_id="evt_old"):
    row = {
        "event_id": event_id, "event_type": "invoice.paid", "customer_id": "cus_old", "invoice_id": "in_old",
        "amount": 4900, "currency": "eur", "tax_country": "DE", "status": "paid",
        "occurred_at": datetime(year_end.year, 6, 1, tzinfo=UTC), "year_end": year_end,
    }  # fmt: skip
    with control.autocommit() as connection:
        connection.execute(insert(LINE).values(row))


def lines(control):
    with control.autocommit() as connection:
        return set(connection.execute(select(LINE.c.event_id)).scalars())


def test_a_payment_is_logged_with_what_the_law_asks_for(shop):
    owner = shop.subscribed()
    (line,) = shop.log(owner)
    (invoice,) = shop.stripe.objects("invoice")
    assert (line.event_type, line.invoice_id, line.status) == ("invoice.paid", invoice["id"], "paid")
    assert (line.amount, line.currency, line.tax_country) == (4900, "eur", "DE")
    assert line.year_end == date(line.occurred_at.year, 12, 31)


def test_each_turn_of_the_money_has_a_line_of_its_own(shop):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    shop.stripe.renew(subscription["id"], pay=False)
    shop.stripe.retry_payment(subscription["id"], pay=True)
    shop.hear()
    shop.refund(shop.stripe.objects("charge")[0]["id"], 900)
    shop.hear()
    assert Counter((line.status, line.amount) for line in shop.log(owner)) == Counter([
        ("paid", 4900), ("failed", 4900), ("paid", 4900), ("refunded", -900),
    ])  # fmt: skip


def turns(shop, owner):
    """What came after the payment, in order: status, amount, invoice and country."""
    lines = shop.log(owner)
    return [(line.status, line.amount, line.invoice_id, line.tax_country) for line in lines if line.status != "paid"]


@pytest.fixture(params=["snapshot", "thin"])
def paying(application, request):
    """A shop whose webhook gets the one form or the other, somebody who has paid, the charge and its invoice."""
    with FaultyStripe(Setup(payload=request.param)) as stripe:
        shop = Shop(application, stripe)
        owner = shop.subscribed()
        yield shop, owner, stripe.objects("charge")[0]["id"], stripe.objects("invoice")[0]["id"]


def test_a_refund_that_fails_takes_nothing_from_what_was_paid(paying):
    shop, owner, charge, invoice = paying
    refund = shop.stripe.refund(charge, 900, pending=True)
    shop.hear()
    assert turns(shop, owner) == [("refunded", -900, invoice, "DE")]
    shop.stripe.advance(60)
    shop.stripe.fail_refund(refund["id"])
    shop.hear()
    assert turns(shop, owner) == [("refunded", -900, invoice, "DE"), ("refund_failed", 900, invoice, "DE")]
    assert sum(line.amount for line in shop.log(owner)) == 4900


def test_a_refund_that_has_failed_before_its_event_arrives_counts_for_nothing(paying):
    shop, owner, charge, _invoice = paying
    shop.stripe.fail_refund(shop.stripe.refund(charge)["id"])
    shop.hear()
    assert sorted((line.status, line.amount) for line in shop.log(owner)) == [
        ("paid", 4900), ("refund_failed", 4900), ("refunded", -4900),
    ]  # fmt: skip


def test_what_a_bank_takes_back_and_gives_again_is_logged(paying):
    shop, owner, charge, invoice = paying
    dispute = shop.stripe.dispute(charge)
    shop.hear()
    assert turns(shop, owner) == [("disputed", -4900, invoice, "DE")]
    shop.stripe.advance(60)
    shop.stripe.reinstate(dispute["id"])
    shop.hear()
    assert turns(shop, owner) == [("disputed", -4900, invoice, "DE"), ("reinstated", 4900, invoice, "DE")]


def test_what_is_missed_of_refunds_and_disputes_is_found_at_night(shop):
    owner = shop.subscribed()
    charge = shop.stripe.objects("charge")[0]["id"]
    shop.stripe.fail_refund(shop.stripe.refund(charge, 100)["id"])
    shop.stripe.reinstate(shop.stripe.dispute(charge)["id"])
    shop.stripe.take_events()
    assert shop.reconcile().missed == 4
    assert Counter(line.status for line in shop.log(owner)) == Counter(
        ("paid", "refunded", "refund_failed", "disputed", "reinstated")
    )


def test_an_event_that_comes_again_is_logged_once(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    bodies = shop.stripe.take_events()
    for body in bodies * 3:
        job = shop.deliver(body)
        if job is not None:
            shop.do(job)
    assert len(shop.log(owner)) == 1


def test_a_line_that_stripe_will_not_tell_of_holds_up_no_other(shop):
    owner = shop.organisation()
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.stripe.renew(shop.subscriptions(owner)[0]["id"])
    jobs = [job for job in map(shop.deliver, shop.stripe.take_events()) if job is not None]
    shop.stripe.plan("GET", "/v1/invoices/", fail(400))
    assert {shop.do(job).state for job in jobs} == {"succeeded"}
    assert len(shop.log(owner)) == 1
    assert [event.outcome for event in shop.events()].count("refused") == 1


def test_nothing_in_it_says_who_paid(shop):
    owner = shop.organisation("Harbour Works", "olga@example.com")
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)), name="Paula Payer", email="paula@payer.example")
    shop.hear()
    told = str([tuple(line) for line in shop.log(owner)])
    for private in ("Paula", "paula@", "olga@", "Harbour", "Payer", "4242", "10115"):
        assert private not in told


# Append-only, and kept


@pytest.mark.parametrize(
    "statement", [update(LINE).values(amount=1), update(LINE).values(customer_id="cus_other"), delete(LINE)]
)
def test_the_database_lets_nobody_change_or_shorten_it(control, statement):
    add_line(control, date(now().year, 12, 31))
    with control.autocommit() as connection, pytest.raises(DBAPIError):
        connection.execute(statement)
    assert lines(control) == {"evt_old"}


def test_nor_empty_it_or_write_over_it(control):
    add_line(control, date(now().year, 12, 31))
    with control.autocommit() as connection:
        before = connection.execute(select(LINE)).all()
        if connection.dialect.name == "sqlite":
            connection.execute(insert(LINE).prefix_with("OR REPLACE").values(before[0]._asdict() | {"amount": 1}))
        else:
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql("TRUNCATE billing_log")
    with control.autocommit() as connection:
        assert connection.execute(select(LINE)).all() == before


def test_a_line_of_a_year_that_ended_seven_years_ago_may_not_be_changed_either(control):
    add_line(control, date(2015, 12, 31))
    with control.autocommit() as connection, pytest.raises(DBAPIError):
        connection.execute(update(LINE).values(amount=1))


def test_the_sweep_takes_what_is_over_seven_years_old_and_no_other(control):
    this = now().year
    for years in (0, 1, 6, 7, 8, 9):
        add_line(control, date(this - years, 12, 31), f"evt_{years}")
    Removal(control, SWEEP, now()).batch()
    assert lines(control) == {"evt_0", "evt_1", "evt_6", "evt_7"}


@given(st.integers(0, 4_000_000_000))
def test_a_line_is_kept_for_seven_years_from_the_end_of_its_financial_year(seconds):
    happened = datetime.fromtimestamp(seconds, UTC)
    ends = financial_year_end(happened)
    assert ends == date(happened.year, 12, 31)
    over = datetime(ends.year + 8, 1, 1, tzinfo=UTC)
    assert not ends < SWEEP.time_format.write(cutoff(Retention.BILLING_LOG, over - timedelta(seconds=1)))
    assert ends < SWEEP.time_format.write(cutoff(Retention.BILLING_LOG, over))
