"""What statuses, prices and limits are called."""

from __future__ import annotations

import pytest

from pigi.domain.plans import PLANS, UNMETERED
from pigi.domain.subscriptions import NONE, STATUSES, WANTS_PAYMENT
from pigi.operations.billing import Offer
from web.pages.shell import money as billing_words
from web.pages.shell.money import Meter, amount_words, limit_words, price_words, status_words


def test_every_status_has_its_words():
    assert set(billing_words.STATUSES) == {NONE, *STATUSES}
    assert status_words("new_one").title == "new_one"


def test_what_wants_payment_looks_so_and_nothing_that_is_well_does():
    assert {status_words(one).tone for one in WANTS_PAYMENT} == {"warn", "ill"}
    assert {status_words(one).tone for one in ("active", "trialing")} == {"ok"}


def test_a_plan_says_each_of_its_limits():
    free = limit_words(PLANS[0])
    assert free == [
        "5 members",
        "100 resources",
        "50 drafts a day",
        "100 MB of configuration",
        "5,000 changes a day",
        "30 days of audit log",
    ]
    assert limit_words(UNMETERED)[0] == "any number of members"
    assert limit_words(UNMETERED)[-1] == "the whole audit log"


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (4900, "eur", "49.00 EUR"),
        (5, "usd", "0.05 USD"),
        (0, "usd", "0.00 USD"),
        (4900, "jpy", "4,900 JPY"),
        (49_000, "kwd", "49.000 KWD"),
        (123_456_789_01, "eur", "123,456,789.01 EUR"),
        (10_000, "isk", "100.00 ISK"),
    ],
)
def test_an_amount_is_written_in_its_currencys_own_decimals(amount, currency, said):
    assert amount_words(amount, currency) == said


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (Offer("p", 4900, "eur", "month"), "49.00 EUR a month"),
        (Offer("p", 4900, "eur", "month", 3), "49.00 EUR every 3 months"),
        (Offer("p", 49000, "eur", "year"), "490.00 EUR a year"),
        (Offer("p", None, "eur", "year"), "Depends on use; Stripe's page says more"),
        (Offer("p"), None),
    ],
)
def test_a_price_says_how_much_and_how_often(offer, said):
    assert price_words(offer) == said


def test_what_has_no_limit_is_never_full():
    assert (Meter("Members", 12_000, None).says, Meter("Members", 12_000, None).is_full) == (
        "12,000, without limit",
        False,
    )
