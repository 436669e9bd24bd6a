"""By which way data goes to each address that the settings name: within this machine, encrypted, or in the clear."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING

from pigi.production import asks_for_tls, option_of, parts_of, waives_checks

if TYPE_CHECKING:
    from pigi.settings import Settings


class Way(StrEnum):
    """How data gets there; ``LOCAL`` is files, sockets and addresses of this machine, which no network sees."""

    LOCAL = "local"
    ENCRYPTED = "encrypted"
    PLAIN = "plain"


def ways_of(settings: Settings) -> dict[str, Way]:
    """The way to each address, by the setting that names it. What is not set is the provider's own, by https."""
    smtp = settings.smtp_url
    demanded = smtp.startswith("smtps:") or settings.production  # else STARTTLS is taken, not demanded
    encrypted = {
        "DATABASE_URL": (settings.database_url, asks_for_tls(settings.database_url)),
        "TENANT_DATABASE_URL": (settings.tenant_database_url, asks_for_tls(settings.tenant_database_url)),
        "REDIS_URL": (settings.redis_url, _checked(settings.redis_url)),
        "SMTP_URL": (smtp, demanded),
        **{
            name: (url, url.startswith("https:"))
            for name, url in (
                ("FILES_URL", _stored_at(settings.files_url)),
                ("BACKUPS_URL", _stored_at(settings.backups_url)),
                ("ANTHROPIC_BASE_URL", settings.anthropic_base_url),
                ("STRIPE_API_BASE", settings.stripe_api_base),
                ("PIGI_PUBLIC_URL", settings.public_url),
            )
        },
    }
    return {name: _way(url, safe) for name, (url, safe) in encrypted.items()}


def _way(url: str, safe: object) -> Way:
    if url and _is_local(url):
        return Way.LOCAL
    return Way.ENCRYPTED if safe or not url else Way.PLAIN


def _checked(url: str) -> bool:
    return url.startswith("rediss:") and not waives_checks(url)


def _stored_at(url: str) -> str:
    """Where a store is; S3's own endpoints, which need no setting, are reached by https."""
    return option_of(url, "endpoint") if url.startswith("s3:") else url


def _is_local(url: str) -> bool:
    parts = parts_of(url)
    if parts.scheme in {"file", "unix", "sqlite"} or option_of(url, "host").startswith("/"):
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
