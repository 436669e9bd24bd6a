"""Controls of where an installation is, and of how data travels: the rules of a start, and this one's own state.

The rules bind production alone. In development nobody is promised anything, and a finding says that it is about one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pigi.domain.controls import Control, Evidence, Finding
from pigi.operations.deployment import Way, live_lapses, ways_of
from pigi.production import lapses_of
from pigi.regions import REGIONS

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.production import Lapse

OUTSIDE: Final = ("", "eu-west-2", "eu-central-2", "europe-west2", "europe-west6", "uksouth", "us-east-1", "unknown")
"""No region, London and Zurich as three hosts call them, one overseas, and one that nobody knows."""

_SAFE: Final = {
    "database_url": "postgresql://pigi:k3pTq9@db.example/pigi?sslmode=verify-full",
    "tenant_database_url": "postgresql://pigi:k3pTq9@db.example/{id}?sslmode=verify-full",
    "redis_url": "rediss://queue.example",
    "smtp_url": "smtps://pigi:k3pTq9@mail.example",
    "smtp_ca_file": None,
    "files_url": "s3://bucket?endpoint=https://files.example",
    "backups_url": "s3://bucket?endpoint=https://files.example",
    "public_url": "https://pigi.example",
}
PLAIN: Final = {
    "database_url": "postgresql://pigi:k3pTq9@db.example/pigi",
    "tenant_database_url": "postgresql://pigi:k3pTq9@db.example/{id}?sslmode=require",
    "redis_url": "redis://queue.example",
    "smtp_url": "smtp://mail.example",
    "files_url": "s3://bucket?endpoint=http://files.example",
    "backups_url": "s3://bucket?endpoint=http://files.example",
    "public_url": "http://pigi.example",
}
"""For each setting an address without TLS, or one that takes any certificate."""


def outside_is_refused(application: Application) -> Finding:
    """Whether the rules refuse regions outside the Union, and no region within it."""
    settings = application.settings.model_copy(update=_SAFE)
    within = [name for names in REGIONS.values() for name in names]

    def refused(region: str) -> bool:
        return bool(lapses_of(settings.model_copy(update={"region": region}), "P17"))

    taken = [region for region in OUTSIDE if not refused(region)]
    if taken or any(map(refused, within)):
        return Finding(False, f"The rules take {len(taken)} of {len(OUTSIDE)} regions outside the EU.")
    return Finding(
        True, f"The rules refuse all {len(OUTSIDE)} regions outside, and none of {len(within)} within the EU."
    )


def data_is_within(application: Application) -> Finding:
    """Whether this installation declares a region within the Union."""
    settings = application.settings
    lapses = lapses_of(settings, "P17")
    if not settings.production and not settings.region:
        return Finding(True, "This installation is for development and declares no region; production would not start.")
    if lapses:
        return Finding(False, f"This installation declares a region outside the EU: {', '.join(_codes(lapses))}.")
    return Finding(True, f"This installation declares {settings.region}, a region in the EU.")


def plain_is_refused(application: Application) -> Finding:
    """Whether the rules refuse each address without TLS, and none of those with it."""
    safe = application.settings.model_copy(update=_SAFE)
    taken = [name for name, url in PLAIN.items() if not lapses_of(safe.model_copy(update={name: url}), "P18")]
    if taken or lapses_of(safe, "P18"):
        return Finding(False, f"The rules take an address without TLS: {', '.join(taken)}.")
    return Finding(True, f"The rules refuse each of {len(PLAIN)} addresses without TLS or without its checks.")


def ways_are_encrypted(application: Application) -> Finding:
    """Whether data goes in the clear to some server; in production the servers themselves are looked at."""
    settings = application.settings
    ways = ways_of(settings)
    plain = sorted(name for name, way in ways.items() if way is Way.PLAIN)
    lapses = [lapse for lapse in live_lapses(settings) if lapse.promise == "P18"] if settings.production else []
    if plain or lapses:
        return Finding(
            False, f"Data goes in the clear, or to whom nobody knows: {', '.join([*plain, *_codes(lapses)])}."
        )
    count = Counter(ways.values())
    looked = "; their certificates were looked at" if settings.production else ""
    return Finding(
        True, f"Of {len(ways)} addresses {count[Way.LOCAL]} are on this machine, {count[Way.ENCRYPTED]} by TLS{looked}."
    )


def _codes(lapses: list[Lapse]) -> list[str]:
    return [lapse.code for lapse in lapses]


CONTROLS = (
    Control(
        "outside-is-refused",
        "P17",
        Evidence.STATIC,
        outside_is_refused,
        "Production does not start with a region outside the European Union, nor with one that is not known.",
        "Where a host's machines really stand.",
    ),
    Control(
        "data-is-within",
        "P17",
        Evidence.OBSERVED,
        data_is_within,
        "This installation, and its stores of files and backups, are declared to be in the European Union.",
        "Whether what was declared is so; whoever runs this installation answers for it.",
    ),
    Control(
        "plain-is-refused",
        "P18",
        Evidence.STATIC,
        plain_is_refused,
        "Production does not start with a database, Redis, mail server, store or public address without TLS.",
        "Which ciphers a server offers.",
    ),
    Control(
        "ways-are-encrypted",
        "P18",
        Evidence.OBSERVED,
        ways_are_encrypted,
        "Here, whatever leaves this machine is encrypted, to servers whose certificates are checked.",
        "The way between a proxy in front of Pigi and its web server, on one machine or a network of their own.",
    ),
)
