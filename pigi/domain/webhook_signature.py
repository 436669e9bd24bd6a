"""Whether a webhook came from Stripe.

Source: docs.stripe.com, "Webhooks", "Verify webhook signatures manually": ``Stripe-Signature: t=…,v1=…`` where v1 is
the HMAC-SHA256 of ``t.body`` in hex. While a secret is rotated there may be several v1, and here several secrets.
Written here, since the web process knows no vendor's SDK; the tests hold it against the SDK's own.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

TOLERANCE_SECONDS: Final = 300
"""As Stripe's libraries have it: an answer that was listened in on is worth nothing five minutes later."""
_LONGEST: Final = 2_000
_TIME = re.compile(r"[0-9]{1,12}")


def read_secrets(text: str) -> list[str]:
    """The secrets of STRIPE_WEBHOOK_SECRET: one, or two while one is replaced, parted by commas or spaces."""
    return [secret for secret in re.split(r"[,\s]+", text) if secret]


def is_genuine(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of ``secrets`` signed ``body`` within `TOLERANCE_SECONDS` of ``now``."""
    pairs = [pair.partition("=")[::2] for pair in header[:_LONGEST].split(",")]
    times = [value for name, value in pairs if name.strip() == "t" and _TIME.fullmatch(value)]
    given = [value.strip().encode() for name, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return False
    signed = b"%b.%b" % (times[0].encode(), body)
    wanted = [hmac.digest(secret.encode(), signed, "sha256").hex().encode() for secret in secrets]
    # All are compared, whatever is found, so that the time tells nothing of which secret is in use.
    return any([hmac.compare_digest(one, other) for one in wanted for other in given])  # noqa: C419 - see above
