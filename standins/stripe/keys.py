"""Who asks, and what a restricted key may do. Source: docs.stripe.com, "API keys" and "Restricted API keys"."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from standins.stripe.errors import RequestError
from standins.stripe.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standins.stripe.account import Account
    from standins.stripe.routes import Route

_RESTRICTED: Final = "rk_test_"
_KEYS: Final = ("sk_test_", _RESTRICTED)
RIGHTS: Final = {"none": frozenset[str](), "read": frozenset({"GET"}), "write": frozenset({"GET", "POST", "DELETE"})}
"""The methods that each right lets through."""


def check_key(headers: Mapping[str, str]) -> str:
    """The key that asks; a 401 if there is none, or it is no secret key of test mode."""
    key = _key(headers.get("authorization", ""))
    if key is None:
        words = "You did not provide an API key. Provide it in the Authorization header, using Bearer auth."
        raise RequestError(401, words)
    if not key.startswith(_KEYS):
        raise RequestError(401, "Invalid API Key provided: ********")
    return key


def _key(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return token.strip() or None


def check_right(account: Account, key: str, route: Route) -> None:
    """A 403 for what a restricted key has no right to; a secret key may do all."""
    resource = _resource(route)
    right = account.settings["rights"].get(resource, "write")
    if key.startswith(_RESTRICTED) and route.method not in RIGHTS[right]:
        needed = "read" if route.method == "GET" else "write"
        raise RequestError(403, f"This restricted key lacks the right to {needed} {resource}.")


def check_rights(rights: Mapping[str, str]) -> None:
    """Raise ValueError for rights that there are not."""
    known = {_resource(route) for route in ROUTES}
    if wrong := [name for name, right in rights.items() if name not in known or right not in RIGHTS]:
        raise ValueError(f"no such right: {', '.join(sorted(wrong))}")


def _resource(route: Route) -> str:
    """``/v1/webhook_endpoints/{}`` is about ``webhook_endpoints``, ``/v2/core/event_destinations`` about its last."""
    return route.parts[2 if route.parts[0] == "v2" else 1]
