"""Violations of the controls of payment."""

from __future__ import annotations

from datetime import date, timedelta

from pigi.clock import now
from pigi.domain.privacy import Category
from pigi.ids import new_id
from pigi.store.billing import BillingAccount, BillingEvent, BillingLine
from pigi.store.ledgers import ErrorLog
from tests.support.promises import declared_as, rows


def a_name_of_who_pays(_world):
    return declared_as(BillingAccount.__table__.c.plan, category=Category.CONTACT)


def a_card_in_a_log(world):
    card = {"process": "web", "place": "paid with 4242 4242 4242 4242", "error": "ValueError", "frames": ""}
    return rows(world, ErrorLog, {**card, "at": now()})


def an_event_left_lying(world):
    at = now() - timedelta(days=1)
    event = {"id": new_id(), "event_id": "evt_1", "thin": True, "type": "invoice.paid"}
    return rows(world, BillingEvent, {**event, "created_at": at, "received_at": at})


def a_line_of_eight_years_ago(world):
    line = {"event_id": "evt_old", "event_type": "invoice.paid", "customer_id": "cus_1", "amount": 1}
    years = {"occurred_at": now() - timedelta(days=10 * 365), "year_end": date(now().year - 9, 12, 31)}
    return rows(world, BillingLine, {**line, "currency": "eur", "status": "paid", **years})


PLANTED = {
    "billing-holds-no-identity": a_name_of_who_pays,
    "no-card-numbers": a_card_in_a_log,
    "stripe-in-step": an_event_left_lying,
    "billing-log-within-seven-years": a_line_of_eight_years_ago,
}
