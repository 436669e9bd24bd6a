"""What Pigi and Stripe must agree on, whatever the account's default is."""

from __future__ import annotations

from typing import Final

WEBHOOK_PATH: Final = "/api/v1/webhooks/stripe"
"""Where Stripe tells of events, under the installation's address."""

API_VERSION: Final = "2026-10-28.endive"
"""The version that requests are made in and that the webhook endpoint must have (docs.stripe.com, "API versioning").
It is ours to change: an SDK brings its own with each release, and answers change their shape with it."""
