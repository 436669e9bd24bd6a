"""When a subscription renews or ends, and its invoices: asked of Stripe for whoever looks, and kept for minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from pigi.domain.access import Caller, Role
from pigi.errors import Refused
from pigi.operations.billing import FRESH, may_open_invoices, read_billing, read_link, request_sync
from pigi.operations.billing.subscribed import LINK, PAGE
from tests.support.billing import TEAM, Shop

if TYPE_CHECKING:
    from pigi.operations.billing import Subscribed


@pytest.fixture
def shop(application, stripe):
    return Shop(application, stripe)


def look(shop: Shop, owner: Caller) -> Subscribed | None:
    """What somebody reads who opens the page, once its job is done."""
    assert shop.do(request_sync(shop.application, owner).id).state == "succeeded"
    return read_billing(shop.application, owner).subscribed


def period_end(shop: Shop, owner: Caller) -> datetime:
    (subscription,) = shop.subscriptions(owner)
    return datetime.fromtimestamp(subscription["items"]["data"][0]["current_period_end"], UTC)


def test_it_is_told_when_it_renews_and_once_cancelled_when_it_ends(shop):
    owner = shop.subscribed()
    assert read_billing(shop.application, owner).subscribed is None

    bought = look(shop, owner)
    (subscription,) = shop.subscriptions(owner)
    shop.sdk.v1.subscriptions.update(subscription["id"], {"cancel_at_period_end": True})
    cancelled = look(shop, owner)
    shop.sdk.v1.subscriptions.update(subscription["id"], {"cancel_at_period_end": False})
    resumed = look(shop, owner)

    end = period_end(shop, owner)
    assert (bought.price_id, bought.renews_at, bought.ends_at) == (TEAM, end, None)
    assert (cancelled.renews_at, cancelled.ends_at) == (None, end)
    assert (resumed.renews_at, resumed.ends_at) == (end, None)
    assert read_billing(shop.application, owner).status == "active"


def test_invoices_come_with_the_page_on_which_they_are_read_for_owners(shop):
    owner = shop.subscribed()
    told = look(shop, owner)

    (invoice,) = told.invoices
    (theirs,) = shop.stripe.objects("invoice")
    assert (invoice.amount, invoice.currency, invoice.status, invoice.url) == (
        theirs["total"], theirs["currency"], "paid", theirs["hosted_invoice_url"],
    )  # fmt: skip
    assert may_open_invoices(owner)
    assert not may_open_invoices(Caller(owner.organisation_id, Role.ADMIN, "account:x"))


def test_the_answer_is_sealed_one_at_a_time_and_shown_for_minutes(shop):
    owner = shop.subscribed()
    look(shop, owner)
    look(shop, owner)

    with shop.control.autocommit() as connection:
        (row,) = connection.execute(select(LINK).where(LINK.c.page == PAGE)).all()
        assert b"renews_at" not in row.url
        with pytest.raises(Refused, match="not_found"):
            read_link(shop.application, owner, row.id)
        connection.execute(update(LINK).where(LINK.c.id == row.id).values(created_at=row.created_at - FRESH))
    assert read_billing(shop.application, owner).subscribed is None


def test_who_has_no_subscription_any_more_is_told_nothing(shop):
    owner = shop.subscribed()
    (subscription,) = shop.subscriptions(owner)
    shop.sdk.v1.subscriptions.cancel(subscription["id"])
    with shop.control.autocommit() as connection:
        before = connection.execute(select(func.count()).select_from(LINK).where(LINK.c.page == PAGE)).scalar_one()

    assert before == 0
    assert look(shop, owner) is None
