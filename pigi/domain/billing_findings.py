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
        "Add one in Stripe for PIGI_PUBLIC_URL/api/v1/webhooks/stripe, and put its secret into STRIPE_WEBHOOK_SECRET.",
    ),
    "webhook_events": Reason(
        "The webhook endpoint is not subscribed to all events that Pigi heeds.",
        "Add the missing ones; docs/operations.md lists them.",
    ),
    "webhook_version": Reason(
        "The webhook endpoint speaks another version of Stripe's API than Pigi.",
        "Make an endpoint of the version that docs/operations.md names, and remove the old one.",
    ),
    "portal_missing": Reason(
        "The customer portal is not set up.", "Save its settings once in Stripe: Settings, Billing, Customer portal."
    ),
    "portal_features": Reason(
        "The customer portal does not let customers cancel, change plans and change their means of payment.",
        "Switch these on in Stripe: Settings, Billing, Customer portal.",
    ),
    "receipts_off": Reason(
        "The newest paid invoice has no receipt number: Stripe mails no receipts.",
        "Switch on mails for successful payments in Stripe: Settings, Business, Customer emails.",
    ),
    "dunning_off": Reason(
        "An invoice that could not be collected is not tried again.",
        "Switch on smart retries and mails for failed payments in Stripe: Settings, Billing, Revenue recovery.",
    ),
}
