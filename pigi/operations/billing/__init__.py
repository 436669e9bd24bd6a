"""Billing through Stripe: customers, checkouts, events, reconciliation and the billing log."""

from __future__ import annotations

from pigi.operations.billing.cancellation import end_subscriptions, remove_customer
from pigi.operations.billing.checkouts import open_checkout, open_portal, provider_of
from pigi.operations.billing.customers import (
    ACCOUNT,
    address_changed,
    contact_changed,
    find_account,
    follow_contact,
    grant_plan,
)
from pigi.operations.billing.events import receive_webhook
from pigi.operations.billing.oversight import (
    Oversight,
    Reconciliation,
    customer_for,
    oversee,
    read_log,
    read_run,
    request_reconciliation,
    request_sync_for,
)
from pigi.operations.billing.overview import (
    BillingView,
    Offer,
    list_offers,
    read_billing,
    read_link,
    request_checkout,
    request_portal,
    request_sync,
    wanted_payment,
)
from pigi.operations.billing.reconciliation import reconcile
from pigi.operations.billing.subscribed import FRESH, Subscribed, may_open_invoices
from pigi.operations.billing.sync import sync

__all__ = [
    "ACCOUNT",
    "FRESH",
    "BillingView",
    "Offer",
    "Oversight",
    "Reconciliation",
    "Subscribed",
    "address_changed",
    "contact_changed",
    "customer_for",
    "end_subscriptions",
    "find_account",
    "follow_contact",
    "grant_plan",
    "list_offers",
    "may_open_invoices",
    "open_checkout",
    "open_portal",
    "oversee",
    "provider_of",
    "read_billing",
    "read_link",
    "read_log",
    "read_run",
    "receive_webhook",
    "reconcile",
    "remove_customer",
    "request_checkout",
    "request_portal",
    "request_reconciliation",
    "request_sync",
    "request_sync_for",
    "sync",
    "wanted_payment",
]
