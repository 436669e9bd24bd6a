"""Which mail server: what SMTP_URL says, read once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from pigi.errors import Misconfigured

# RFC 8314, section 7.3, and RFC 6409, section 3.1: submission with TLS from the start, and with STARTTLS.
_PORTS: Final = {"smtps": 465, "smtp": 587}
_FORM: Final = "SMTP_URL must be like smtps://user:password@mail.example.org:465, with special signs percent-encoded"


@dataclass(frozen=True)
class Server:
    """Where mail is handed over, and as whom. ``tls`` is TLS from the first byte; else STARTTLS may follow."""

    host: str
    port: int
    tls: bool
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether what is sent to it stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_server(url: str) -> Server:
    """The server that ``url`` names; raises Misconfigured, which never shows it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except (ValueError, KeyError):
        raise Misconfigured([_FORM]) from None
    # Credentials go as ASCII in every mechanism that smtplib has.
    if not host or parts.path.strip("/") or parts.query or not f"{user}{password}".isascii():
        raise Misconfigured([_FORM])
    return Server(host, port, parts.scheme == "smtps", user, password)
