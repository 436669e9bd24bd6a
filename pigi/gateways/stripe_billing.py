"""Stripe, by the official SDK: `pigi.ports.billing.BillingProvider` in one object.

What leaves is identifiers, the customer's name and address in `update_customer` alone, and where to come back to.
What is taken in is identifiers, statuses, amounts and a country.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.errors import Misconfigured
from pigi.gateways.provider_keys import ProviderKeys
from pigi.gateways.stripe_customers import Customers
from pigi.gateways.stripe_pages import Pages
from pigi.gateways.stripe_setup import SetUp

if TYPE_CHECKING:
    from pigi.gateways.stripe_http import CallLimits
    from pigi.ports import KeyNews


class StripeBilling(Customers, Pages, SetUp):
    """One object serves any number of calls and threads. Connections open with the first call, so after a fork."""

    def __init__(
        self, base_url: str | None, api_key: str, limits: CallLimits | None = None, *, news: KeyNews | None = None
    ) -> None:
        """``base_url`` None means Stripe's own address, not what the environment says.

        ``api_key`` may be several of one account, parted by commas; ``news`` hears how each is taken.

        Raises:
            Misconfigured: the key is blank.
        """
        keys = ProviderKeys("STRIPE_API_KEY", api_key, news)
        if not keys:
            raise Misconfigured(["STRIPE_API_KEY must be set."])
        super().__init__(base_url, keys, limits)
