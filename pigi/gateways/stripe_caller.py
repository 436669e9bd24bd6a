"""Calls to Stripe, through the official SDK, so that nothing of the SDK comes out but plain values."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import stripe

from pigi.domain.stripe_api import API_VERSION
from pigi.errors import Temporary
from pigi.gateways.stripe_errors import FAILED, Missing, translate
from pigi.gateways.stripe_http import CallLimits, QuietClient, quieten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pigi.gateways.provider_keys import ProviderKeys

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.stripe.com"
PAGE: Final = 100
"""As many as Stripe gives at once (API reference, "Pagination")."""


class StripeCaller:
    """What the parts of `pigi.gateways.stripe_billing.StripeBilling` share: a client, and ways to ask through it.

    Errors are made, not wrapped: none has a cause, a context or a frame of the SDK. Answers are read inside the same
    net, so one that is not as documented is a failure of Stripe's and not of Pigi's.
    """

    def __init__(self, base_url: str | None, keys: ProviderKeys, limits: CallLimits | None = None) -> None:
        chosen = limits or CallLimits()
        self._http = QuietClient(chosen, keys)
        client = stripe.StripeClient(
            keys.in_turn()[0],
            stripe_version=API_VERSION,
            base_addresses={"api": (base_url or DEFAULT_BASE_URL).rstrip("/")},
            max_network_retries=chosen.retries,
            http_client=self._http,
        )
        self._v1, self._v2 = client.v1, client.v2
        quieten()

    def close(self) -> None:
        """Close idle connections; the object is of no use afterwards."""
        self._http.close()

    def _ask(self, fetch: Callable[[], Any], read: Callable[[dict[str, Any]], T]) -> T:
        """What ``read`` makes of the answer."""
        answer, failure = settle(lambda: read(fetch().to_dict()))
        if failure is not None:
            raise failure from None
        return cast("T", answer)

    def _find(self, fetch: Callable[[], Any], read: Callable[[dict[str, Any]], T]) -> T | None:
        """What ``read`` makes of the answer; None if what was named is gone."""
        answer, failure = settle(lambda: read(fetch().to_dict()))
        if failure is not None and not isinstance(failure, Missing):
            raise failure from None
        return answer

    def _every(
        self, fetch: Callable[[Any], Any], params: dict[str, Any], read: Callable[[dict[str, Any]], T]
    ) -> Iterator[T]:
        """What ``read`` makes of each of a list, page by page; nothing if whose list it is is gone."""
        params = {**params, "limit": PAGE}
        while True:
            page = self._find(partial(fetch, params), partial(_read_page, read))
            if page is None and "starting_after" in params:
                raise Temporary(FAILED)  # the page's last was deleted meanwhile: the rest must not seem to be nothing
            if page is None:
                return
            entries, last = page
            yield from entries
            if last is None:
                return
            params["starting_after"] = last


def settle(call: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """What ``call`` gives, or the error to raise: raised in here, it would be tied to the SDK's."""
    outer = sys.exception()
    try:
        return call(), None
    except Exception as error:  # noqa: BLE001 - the port promises that nothing else comes out
        return None, translate(error, outer)


def _read_page(read: Callable[[dict[str, Any]], T], page: dict[str, Any]) -> tuple[list[T], str | None]:
    """What is on it, and the id after which the next one begins; None if it is the last."""
    data = page["data"]
    return [read(entry) for entry in data], data[-1]["id"] if page["has_more"] else None
