"""What Stripe's refusals and failures mean to Pigi, in the words of `pigi.ports.billing`.

Sources: Stripe API reference, "Errors", "Idempotent requests" and "Rate limits"; the exception classes of the SDK.
The SDK's exceptions hold the request's parameters and the whole answer, so none may leave this package.
"""

from __future__ import annotations

from typing import Final

import stripe

from pigi.clock import now
from pigi.errors import Permanent, PigiError, Temporary
from pigi.gateways.retry_after import parse_retry_after
from pigi.ports.billing import NotAllowed, RepeatedFailure

BUSY: Final = "billing_busy"
FAILED: Final = "billing_failed"
REFUSES_US: Final = "billing_refuses_us"
REJECTED: Final = "billing_rejected"
UNREACHABLE: Final = "billing_unreachable"

# The first line that an error belongs to gives the code.
_CODES_BY_FAMILY: Final[tuple[tuple[type[stripe.StripeError], str], ...]] = (
    (stripe.APIConnectionError, UNREACHABLE),
    (stripe.AuthenticationError, REFUSES_US),
    (stripe.PermissionError, REFUSES_US),
    (stripe.RateLimitError, BUSY),
)
_CODES_BY_STATUS: Final = {401: REFUSES_US, 403: REFUSES_US, 409: BUSY, 429: BUSY}
# What asks to be tried again later, whatever its status.
_CODES_BY_STRIPES_OWN: Final = {"idempotency_key_in_use": BUSY, "lock_timeout": BUSY}
_GONE: Final = frozenset({"resource_missing", "not_found"})
"""In the words of Stripe's first and second API."""

# Modules whose exceptions the SDK's own work can raise; any other came from outside, such as a time limit's signal.
_OWN_MODULES: Final = frozenset({"builtins", "http", "json", "socket", "ssl", "stripe", "urllib3", "zlib"})


class Missing(Permanent):
    """What was named does not exist, or no longer."""

    def __init__(self) -> None:
        super().__init__(REJECTED)


def translate(error: Exception, outer: BaseException | None) -> Exception:
    """The error to raise in place of ``error``, holding nothing of it.

    An exception that a signal handler raised while the SDK was at work, such as a time limit, is given back itself,
    cut loose from the SDK's frames and errors. ``outer`` is what the caller was handling: it is not the SDK's work.
    """
    foreign = _foreign(error, outer)
    if foreign is not None:
        foreign.__cause__ = foreign.__context__ = None
        return foreign.with_traceback(None)
    if isinstance(error, stripe.StripeError):
        return _refusal(error)
    # Half of a surrogate pair has no UTF-8 form, so it fails while the request is written.
    return Permanent(REJECTED) if isinstance(error, UnicodeEncodeError) else Temporary(FAILED)


def _foreign(error: BaseException, outer: BaseException | None) -> Exception | None:
    current: BaseException | None = error
    while current is not None and current is not outer:
        own = type(current).__module__.partition(".")[0] in _OWN_MODULES
        if isinstance(current, Exception) and not own:
            return current
        # The SDK hides what went wrong under it as a context, too.
        current = current.__cause__ or current.__context__
    return None


def _refusal(error: stripe.StripeError) -> PigiError:
    # An address that Stripe does not know is a 404 without this code, and must not pass for something gone.
    if isinstance(error, stripe.InvalidRequestError) and error.code in _GONE:
        return Missing()
    code = _code(error)
    if code == REJECTED:
        return Permanent(code)
    if code == FAILED and (error.headers or {}).get("idempotent-replayed") == "true":
        return RepeatedFailure()
    wait = parse_retry_after(error.headers or {}, now())
    return NotAllowed(wait) if code == REFUSES_US else Temporary(code, retry_after=wait)


def _code(error: stripe.StripeError) -> str:
    for family, code in _CODES_BY_FAMILY:
        if isinstance(error, family):
            return code
    status = error.http_status or 0
    own_code = getattr(error.error, "code", None)
    known = _CODES_BY_STRIPES_OWN.get(str(own_code)) or _CODES_BY_STATUS.get(status)
    # What does not have the form of Stripe's errors comes from something on the way, and settles nothing.
    judged = error.error is not None and status // 100 == 4  # noqa: PLR2004 - RFC 9110, section 15.5
    return known or (REJECTED if judged else FAILED)
