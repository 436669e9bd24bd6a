"""The HTTP client and the logging under the Stripe SDK, made to say no more than they must.

Left alone, the SDK sends how long past calls took, an id of this machine that it writes into the home directory, the
operating system and which AI agent started the process; it logs request bodies, prints them when STRIPE_LOG says so,
follows redirects with the key on board, and takes proxies and certificates from the environment. Here it does none of
that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import stripe
import urllib3
from stripe import _util

from pigi.gateways.provider_keys import REFUSALS
from pigi.gateways.quiet import silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.gateways.provider_keys import ProviderKeys

    Answered = tuple[Any, int, Mapping[str, str]]

# A list of what may leave, not of what may not: a header that a later SDK adds stays here.
ALLOWED_HEADERS: Final = frozenset({"authorization", "content-type", "idempotency-key", "stripe-version"})
OWN_HEADERS: Final = {"User-Agent": "pigi", "Accept": "application/json", "Accept-Encoding": "identity"}
# What the SDK and the errors read of an answer. Others stay away from it: one of them it turns into a warning.
_HEARD: Final = ("idempotent-replayed", "retry-after", "stripe-should-retry")
_LOGGERS: Final = ("stripe", "urllib3", "requests")
_RESPONSE_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_UNKNOWN_KEY: Final = 401
_FIRST_ERROR: Final = 400


@dataclass(frozen=True)
class CallLimits:
    """Seconds, except for ``retries``, which follow at once and under the same idempotency key.

    ``read`` is the longest silence that is waited out, ``overall`` the longest time from sending to the last byte of
    one try (noticed at the next byte, so at most ``read`` later).
    """

    connect: float = 5.0
    read: float = 20.0
    overall: float = 30.0
    retries: int = 1


class QuietClient(stripe.HTTPClient):
    """Sends `ALLOWED_HEADERS` and `OWN_HEADERS`; no cookie, no redirect, no proxy. Any number of threads may share it.

    It asks with the first key that is not refused, or else with the last. Raises the SDK's own errors, without text.
    """

    name = "urllib3"

    def __init__(self, limits: CallLimits, keys: ProviderKeys) -> None:
        super().__init__()
        self._limits = limits
        self._keys = keys
        self._timeout = urllib3.Timeout(connect=limits.connect, read=limits.read)
        self._pool = urllib3.PoolManager(maxsize=4, ca_certs=stripe.ca_bundle_path, cert_reqs="CERT_REQUIRED")

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> Answered:
        """One try: the body, the status and the headers of the answer.

        What was refused did not begin, so another key repeats it under the same idempotency key without doing it twice.
        """
        *before, last = self._keys.in_turn()
        for key in before:
            answer = self._request(method, url, _asking(key, headers), post_data)
            if answer[1] not in REFUSALS:
                return self._noted(key, answer)
            self._noted(key, answer)
        return self._noted(last, self._request(method, url, _asking(last, headers), post_data))

    def _noted(self, key: str, answer: Answered) -> Answered:
        status = answer[1]
        # A 403 is about one right that a restricted key lacks: it says nothing about the next request.
        if status == _UNKNOWN_KEY:
            self._keys.refused(key)
        elif status < _FIRST_ERROR:
            self._keys.accepted(key)
        return answer

    def _request(self, method: str, url: str, headers: Mapping[str, str], post_data: Any) -> Answered:
        deadline = time.monotonic() + self._limits.overall
        try:
            answer = self._send(method, url, headers, post_data)
            try:
                body = _read(answer, deadline)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            if _for_an_operator(error):
                raise stripe.AuthenticationError from None
            raise _unreachable(again=True) from None
        return body, answer.status, {name: answer.headers[name] for name in _HEARD if name in answer.headers}

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> urllib3.response.BaseHTTPResponse:
        return self._pool.request(
            method.upper(),
            url,
            body=post_data,
            headers={name: value for name, value in headers.items() if name.lower() in ALLOWED_HEADERS} | OWN_HEADERS,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def close(self) -> None:
        self._pool.clear()


def _asking(key: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {**(headers or {}), "Authorization": f"Bearer {key}"}


def _read(answer: urllib3.response.BaseHTTPResponse, deadline: float) -> bytes:
    """The body, as it comes: waiting for whole chunks would let single bytes keep the call alive."""
    body = bytearray()
    while piece := answer.read1(_CHUNK_BYTES):
        body += piece
        if time.monotonic() > deadline:
            raise _unreachable(again=False)
        if len(body) > _RESPONSE_BYTES:
            raise stripe.APIError
    return bytes(body)


def _for_an_operator(error: Exception) -> bool:
    """Whether it is an address or a key that cannot be sent, or a certificate that does not hold."""
    cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    return isinstance(cause, ValueError)  # among them is what the verification of certificates raises


def _unreachable(*, again: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(None, should_retry=again)  # type: ignore[no-untyped-call]


def quieten() -> None:
    """Switch off what the SDK does beside its work; settings of the whole process, safe to repeat."""
    stripe.enable_telemetry = False
    _util.STRIPE_LOG = None  # read from the environment at import; nothing public switches it off
    silence(_LOGGERS)


quieten()
