"""What Pigi and Stripe must agree on, whatever the account's default is."""

from __future__ import annotations

from typing import Final

WEBHOOK_PATH: Final = "/api/v1/webhooks/stripe"
"""Where Stripe tells of events, under the installation's address."""

API_VERSION: Final = "2026-10-28.endive"
"""The version that requests are made in; the webhook endpoint's must be of its release.
It is ours to change: an SDK brings its own with each release, and answers change their shape with it."""


def release_of(version: str | None) -> str:
    """The named release that a version belongs to; empty for those before there were names, and for none.

    Within a release the versions of each month change no shape (docs.stripe.com, "API versioning").
    """
    return (version or "").partition(".")[2]
