"""What Stripe, and what is bought there, say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import AGAIN, Reason

BILLING: Final[dict[str, Reason]] = {
    "billing_busy": Reason("Stripe is busy with something else.", AGAIN),
    "billing_unreachable": Reason("Stripe could not be reached.", AGAIN),
    "billing_failed": Reason("Stripe answered with an error.", AGAIN),
    "billing_refuses_us": Reason(
        "Stripe turns Pigi away.", "Tell the operator: STRIPE_API_KEY must fit the account, and have the rights for it."
    ),
    "billing_unconfigured": Reason("No payment provider is set up.", "Tell the operator: set STRIPE_API_KEY."),
    "billing_rejected": Reason(
        "Stripe did not accept the request.", "Tell the operator, with the job's id; `pigi billing check` may say why."
    ),
    "billing_price_unknown": Reason(
        "The organisation pays a price that Pigi knows no plan for.",
        "Tell the operator: add the price to STRIPE_PRICES, then sync again. What was bought before still applies.",
    ),
    "billing_customer_unknown": Reason(
        "Stripe does not know the organisation as a customer.",
        "Tell the operator: STRIPE_API_KEY is perhaps of another account or mode; nothing was changed.",
    ),
    "billing_moot": Reason(
        "This page is no longer needed: a newer one was requested, or too much time has passed.",
        "Open the billing page and ask again.",
    ),
    "billing_no_customer": Reason(
        "The organisation has bought nothing yet.", "Choose a plan first; then there is something to manage."
    ),
    "already_subscribed": Reason(
        "The organisation has a subscription.", "Change or end it on Stripe's page, which the billing page leads to."
    ),
    "plan_granted": Reason(
        "An operator gave the organisation its plan, so there is nothing to buy.",
        "Ask the operator, who can take it back with `pigi billing grant`.",
    ),
    "billing_off": Reason("This installation charges nobody.", "Nothing: everything may be used without a plan."),
    "webhook_refused": Reason(
        "This is not a fresh event that Stripe signed for this installation.",
        "Set STRIPE_WEBHOOK_SECRET to the endpoint's secret, and keep the clock right; live keys take live events.",
    ),
}
