"""Stripe, by the official SDK: `pigi.ports.billing.BillingProvider` in one object.

What leaves is identifiers, the customer's name and address in `update_customer` alone, and where to come back to.
What is taken in is identifiers, statuses, amounts and a country.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.errors import Misconfigured
from pigi.gateways.stripe_customers import Customers
from pigi.gateways.stripe_pages import Pages
from pigi.gateways.stripe_setup import SetUp

if TYPE_CHECKING:
    from pigi.gateways.stripe_http import CallLimits


class StripeBilling(Customers, Pages, SetUp):
    """One object serves any number of calls and threads. Connections open with the first call, so after a fork."""

    def __init__(self, base_url: str | None, api_key: str, limits: CallLimits | None = None) -> None:
        """``base_url`` None means Stripe's own address, not what the environment says.

        Raises:
            Misconfigured: the key is blank.
        """
        if not api_key.strip():
            raise Misconfigured(["STRIPE_API_KEY must be set."])
        super().__init__(base_url, api_key, limits)
