"""What Anthropic's answers and failures mean to Pigi.

Sources: Claude API docs, "Errors" (statuses and error types) and "Handling stop reasons"; the exception
classes of the SDK. The SDK's exceptions hold the request, thus the purpose, so none may leave this package.
"""

from __future__ import annotations

from typing import Final

import anthropic
import httpx2

from pigi.clock import now
from pigi.domain.provider_failures import PATIENCE
from pigi.errors import Permanent, PigiError, Temporary
from pigi.gateways.retry_after import parse_retry_after

# An error inside a stream comes with HTTP 200, so its type is all there is.
_CODES_BY_TYPE: Final = {
    "rate_limit_error": "provider_busy",
    "overloaded_error": "provider_busy",
    "api_error": "provider_failed",
    "timeout_error": "provider_failed",
    "authentication_error": "provider_unavailable",
    "billing_error": "provider_credit",
    "permission_error": "provider_unavailable",
    "not_found_error": "provider_model",
    "invalid_request_error": "provider_rejected",
    "request_too_large": "provider_rejected",
}
_CODES_BY_STATUS: Final = {
    401: "provider_unavailable",
    402: "provider_credit",
    403: "provider_unavailable",
    404: "provider_model",
    408: "provider_failed",
    409: "provider_failed",
    429: "provider_busy",
    499: "provider_failed",
    529: "provider_busy",
}
# The classes of RFC 9110, section 15. A redirect is not followed, since it would send the purpose elsewhere.
_CODES_BY_CLASS: Final = {3: "provider_unavailable", 4: "provider_rejected", 5: "provider_failed"}
# Stable codes beside the type, which say more than the status: no waiting cures these, an operator must.
_CODES_BY_DETAIL: Final = {
    "contract_spend_limit_reached": "provider_quota",
    "enforced_spend_limit_reached": "provider_quota",
    "linked_organization_spend_limit_reached": "provider_quota",
    "organization_on_hold": "provider_unavailable",
    "cmek_key_disabled": "provider_unavailable",
    "cmek_key_network_blocked": "provider_unavailable",
}
# An account without credit and one that is over the limit that it set itself get a plain 400, so only the message
# tells which it is. Its wording may change; then the 400 is `provider_rejected`, which tells people the same to do.
_CODES_BY_WORDS: Final = (
    ("credit balance", "provider_credit"),
    ("usage limits", "provider_quota"),
    ("has been disabled", "provider_unavailable"),
    ("content filtering", "refused"),
)

_STOPS: Final = {
    "refusal": "refused",
    "max_tokens": "draft_too_long",
    "model_context_window_exceeded": "draft_too_long",
}
"""Any other, such as ``pause_turn``, ``tool_use`` or one that is new, is `stopped_early`: nobody asked for it."""
_GOOD_STOPS: Final = frozenset({"end_turn", "stop_sequence"})


class ResponseSizeError(Exception):
    """The response grew beyond the byte limit."""


class OverallTimeError(Exception):
    """The call took longer than the overall limit."""


def error_for_code(code: str) -> PigiError:
    """A fresh error of the class that the port names for ``code``."""
    return Temporary(code) if code in PATIENCE else Permanent(code)


def error_for_stop(stop_reason: str | None) -> PigiError | None:
    """What is wrong with an answer that ended for ``stop_reason``; None if it ended well."""
    if stop_reason in _GOOD_STOPS:
        return None
    return error_for_code(_STOPS.get(str(stop_reason), "stopped_early"))


def translate(error: Exception, *, streaming: bool) -> PigiError:
    """The error to raise in place of ``error``, holding nothing of it; ``streaming`` once the answer has begun."""
    if isinstance(error, anthropic.APIStatusError):
        return _status_error(error)
    return error_for_code(_failure_code(error, streaming=streaming))


def _status_error(error: anthropic.APIStatusError) -> PigiError:
    status = error.status_code
    if error.response.is_success:
        code = _CODES_BY_TYPE.get(str(error.type), "provider_failed")
    else:
        code = _CODES_BY_STATUS.get(status) or _CODES_BY_CLASS.get(status // 100, "provider_failed")
    if code == "provider_rejected":
        code = _code_by_words(error)
    code = _CODES_BY_DETAIL.get(error.error_code or "", code)
    if code in PATIENCE:
        return Temporary(code, retry_after=parse_retry_after(error.response.headers, now()))
    return Permanent(code)


def _code_by_words(error: anthropic.APIStatusError) -> str:
    words = str(error.api_message or "").lower()
    return next((code for phrase, code in _CODES_BY_WORDS if phrase in words), "provider_rejected")


# The first line whose exceptions include the failure's cause gives the code: before the answer began, and after.
# Half of a surrogate pair has no UTF-8 form, so it fails while the request is written. A key or an address that
# cannot be sent needs an operator.
_CODES_BY_CAUSE: Final[tuple[tuple[tuple[type[Exception], ...], str, str], ...]] = (
    ((OverallTimeError, httpx2.ReadTimeout, httpx2.WriteTimeout), "stalled", "stalled"),
    ((ResponseSizeError,), "draft_too_long", "draft_too_long"),
    (
        (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol, httpx2.InvalidURL),
        "provider_unavailable",
        "provider_unavailable",
    ),
    ((httpx2.DecodingError,), "provider_failed", "provider_failed"),
    ((UnicodeError,), "provider_rejected", "provider_failed"),
    ((httpx2.TransportError, OSError, anthropic.APIConnectionError), "provider_unreachable", "stream_cut"),
)


def _failure_code(error: Exception, *, streaming: bool) -> str:
    """The code of a failure that came without an HTTP error status."""
    wrapped = isinstance(error, anthropic.APIConnectionError) and error.__cause__ is not None
    cause = error.__cause__ if wrapped else error
    for kinds, before, after in _CODES_BY_CAUSE:
        if isinstance(cause, kinds):
            return after if streaming else before
    return "provider_failed"
