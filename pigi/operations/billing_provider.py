"""The way to the payment provider, for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.errors import Misconfigured, Temporary

if TYPE_CHECKING:
    from pigi.ports import Gateways
    from pigi.ports.billing import BillingProvider


def provider_of(gateways: Gateways) -> BillingProvider:
    """The provider; raises Temporary ``billing_unconfigured`` where none is set up, so that nothing heard is lost."""
    try:
        return gateways.billing
    except Misconfigured:
        raise Temporary("billing_unconfigured") from None
