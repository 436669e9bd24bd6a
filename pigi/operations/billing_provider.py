"""The way to the payment provider, for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pigi.errors import Misconfigured, Temporary
from pigi.ports.billing import RepeatedFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.ports import Gateways
    from pigi.ports.billing import BillingProvider


def provider_of(gateways: Gateways) -> BillingProvider:
    """The provider; raises Temporary ``billing_unconfigured`` where none is set up, so that nothing heard is lost."""
    try:
        return gateways.billing
    except Misconfigured:
        raise Temporary("billing_unconfigured") from None


Made = TypeVar("Made")
MOST_KEYS = 5
"""As many answers of one kind of failure as a provider may keep for a single thing to be made."""


def make(making: Callable[[str], Made], looking: Callable[[], Made | None], key: str) -> Made:
    """Make something under ``key``; where the provider just repeats how that failed, under a further one.

    The failed request may have made it all the same, so ``looking`` asks for it before. A failure that is no
    repetition is raised: its request may still be at work. Raises as `BillingProvider`.
    """
    for number in range(MOST_KEYS):
        try:
            return making(f"{key}-{number}" if number else key)
        except RepeatedFailure:
            found = looking()
        if found is not None:
            return found
    raise RepeatedFailure
