"""Which network a request comes from, for throttling alone: it is hashed there, and neither stored nor logged."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"
# What one customer of a provider usually has at least: RFC 6177.
IPV6_PREFIX = 64


def network_of(environ: Mapping[str, Any], proxies: int) -> str:
    """The client's IPv4 address, or its IPv6 network of 64 bits.

    ``proxies`` is how many of our own stand in front: each adds the address it was called from to the end of
    X-Forwarded-For, so only that many entries, from the right, can be believed.
    """
    address = environ.get("REMOTE_ADDR", "")
    if proxies:
        told = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        address = told[-proxies] if len(told) >= proxies else address
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)


def is_https(environ: Mapping[str, Any], proxies: int) -> bool:
    """Whether the client's own connection is encrypted, as far as we or our proxies can tell."""
    if proxies:
        told = [part.strip() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",") if part.strip()]
        return len(told) >= proxies and told[-proxies].lower() == "https"
    return bool(environ.get("wsgi.url_scheme") == "https")
