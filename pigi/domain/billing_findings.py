"""What may be wrong with the set-up at Stripe, each with the step that mends it (docs/operations.md, "Stripe").

Reconciliation looks for them each night, and `pigi billing check` at once.
"""

from __future__ import annotations

from pigi.domain.reasons import Reason

FINDINGS: dict[str, Reason] = {
    "price_missing": Reason(
        "STRIPE_PRICES names a price that Stripe does not have.", "Take the price's id from Stripe's product page."
    ),
    "price_unusable": Reason(
        "STRIPE_PRICES names a price that is not recurring.",
        "Choose a price with a period. One that was archived may stay: whoever pays it keeps the plan.",
    ),
    "webhook_missing": Reason(
        "No enabled webhook endpoint points at this installation.",
        "Add one in Stripe for PIGI_PUBLIC_URL/api/v1/webhooks/stripe, and put its secret into STRIPE_WEBHOOK_SECRET. "
        "If there is one for thin events, give the key the right to read event destinations.",
    ),
    "webhook_events": Reason(
        "The webhook endpoint is not subscribed to all events that Pigi heeds.",
        "Add the missing ones; docs/operations.md lists them.",
    ),
    "webhook_version": Reason(
        "The webhook endpoint speaks another release of Stripe's API than Pigi.",
        "Make an endpoint of the version that docs/operations.md names, as it says there, and remove the old one.",
    ),
    "portal_missing": Reason(
        "The customer portal is not set up.", "Save its settings once in Stripe: Settings, Billing, Customer portal."
    ),
    "portal_features": Reason(
        "The customer portal does not let customers cancel, change plans and means of payment, and pay open invoices.",
        "Switch these on in Stripe: Settings, Billing, Customer portal.",
    ),
    "receipts_off": Reason(
        "The newest paid invoice has no receipt number: Stripe mails no receipts.",
        "Switch on mails for successful payments in Stripe: Settings, Business, Customer emails.",
    ),
    "subscribed_twice": Reason(
        "A customer has two subscriptions that both can be charged.",
        "Find it among Stripe's subscriptions, end the one that is not wanted, and give back what was paid for it.",
    ),
    "dunning_off": Reason(
        "An invoice that could not be collected is not tried again.",
        "Switch on smart retries and mails for failed payments in Stripe: Settings, Billing, Revenue recovery.",
    ),
    "unchecked_prices": Reason(
        "The key may not read prices, so they were not checked, and the page of plans has no new ones.",
        "Give the key the right to read prices.",
    ),
    "unchecked_webhook": Reason(
        "The key may not read webhook endpoints, so they were not checked.",
        "Give the key the right to read webhook endpoints.",
    ),
    "unchecked_portal": Reason(
        "The key may not read the customer portal's settings, so they were not checked.",
        "Give the key the right to write to the customer portal: without it nobody can open it either.",
    ),
    "unchecked_invoices": Reason(
        "The key may not read invoices, so receipts and further tries were not checked.",
        "Give the key the right to write invoices: the billing log and deleting organisations need it, too.",
    ),
}
