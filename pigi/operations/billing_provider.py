"""The way to the payment provider, for jobs."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from pigi.errors import Misconfigured, Temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.jobs.context import JobContext
    from pigi.ports import Gateways
    from pigi.ports.billing import BillingProvider


def provider_of(gateways: Gateways) -> BillingProvider:
    """The provider; raises Temporary ``billing_unconfigured`` where none is set up, so that nothing heard is lost."""
    try:
        return gateways.billing
    except Misconfigured:
        raise Temporary("billing_unconfigured") from None


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=30)


@contextmanager
def with_longer_waits(context: JobContext) -> Iterator[None]:
    """For jobs that nobody waits for: after each failure the next try comes later, up to half an hour.

    So the attempts of a kind last for hours, and an outage of Stripe's loses nothing that was heard.
    """
    try:
        yield
    except Temporary as failure:
        wait = min(FIRST_WAIT * 2 ** min(context.job.failures, 20), LONGEST_WAIT)
        raise Temporary(failure.code, max(wait, failure.retry_after or wait)) from None
