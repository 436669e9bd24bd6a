"""Where a process may connect to: what the settings name, each under its recipient, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pigi.domain.privacy import Recipient
from pigi.production import ANTHROPIC_HOST, STRIPE_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings

_PORTS: Final = {
    "http": 80, "https": 443, "smtp": 587, "smtps": 465, "redis": 6379, "rediss": 6379, "postgresql": 5432,
}  # fmt: skip
_EVERY_INTERFACE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where others reach what listens so


@dataclass(frozen=True)
class Destination:
    """A recipient's address: a name or a literal, and a port."""

    recipient: str
    host: str
    port: int


def destinations_of(settings: Settings) -> tuple[Destination, ...]:
    """Every address that these settings name, each once. Sockets of the machine are none."""
    return tuple(dict.fromkeys(_all(settings)))


def _all(settings: Settings) -> Iterator[Destination]:
    addresses = (
        (Recipient.STRIPE.value, settings.stripe_api_base or f"https://{STRIPE_HOST}"),
        (Recipient.ANTHROPIC.value, settings.anthropic_base_url or f"https://{ANTHROPIC_HOST}"),
        (Recipient.MAIL.value, settings.smtp_url),
        ("database", settings.database_url),
        ("database", settings.tenant_database_url),
        ("redis", settings.redis_url),
        ("files", _endpoint(settings.files_url)),
        ("files", _endpoint(settings.backups_url)),
        ("pigi", settings.public_url),
    )
    for recipient, url in addresses:
        yield from _read(recipient, url)
    yield Destination("pigi", _EVERY_INTERFACE.get(settings.host, settings.host).lower(), settings.port)


def _endpoint(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("endpoint", [""])[0]


def _read(recipient: str, url: str) -> Iterator[Destination]:
    """What an address names; one that cannot be read names nothing, and whoever uses it says so."""
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    except ValueError:
        return
    if parts.hostname and port:
        yield Destination(recipient, parts.hostname.rstrip("."), port)
