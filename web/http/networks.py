"""Which network a request comes from, for throttling alone: it is hashed there, and neither stored nor logged."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]*)?")
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
        found = ipaddress.ip_address(_bare(address))
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)


def _bare(address: str) -> str:
    """Without the port that some proxies add, the brackets that IPv6 then needs, and its zone."""
    if match := _BRACKETED.fullmatch(address):
        address = match[1]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    return address.partition("%")[0]


def is_https(environ: Mapping[str, Any], proxies: int) -> bool:
    """Whether the client's own connection is encrypted, as far as we or our proxies can tell.

    Some proxies add to X-Forwarded-Proto and some write it anew, so there may be fewer entries than proxies. Whoever
    forges one only fools themselves.
    """
    if proxies:
        told = [part.strip() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",") if part.strip()]
        return bool(told) and told[-min(proxies, len(told))].lower() == "https"
    return bool(environ.get("wsgi.url_scheme") == "https")
