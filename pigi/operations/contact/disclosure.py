"""`security.txt`: where vulnerabilities are reported, for people and programs that look there (RFC 9116)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.contact import good_until

if TYPE_CHECKING:
    from pigi.settings import Settings

CANONICAL = "/.well-known/security.txt"
"""Where it is: RFC 9116, section 3."""
PAGE = "/contact"
FORM = f"{PAGE}#security"
HOW = f"{PAGE}#handling"


def contact_page(settings: Settings) -> str:
    """The address of the page with the forms."""
    return f"{settings.public_url.rstrip('/')}{PAGE}"


def security_txt(settings: Settings) -> str:
    """The file. The form comes first, as what is preferred does: what it takes is sealed, and mail may not be."""
    home = settings.public_url.rstrip("/")
    fields = (
        ("Contact", f"{home}{FORM}"),
        ("Contact", f"mailto:{settings.security_address}"),
        ("Expires", good_until(now()).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("Preferred-Languages", "en"),
        ("Canonical", f"{home}{CANONICAL}"),
        ("Policy", f"{home}{HOW}"),
    )
    return "".join(f"{name}: {value}\r\n" for name, value in fields)


def read_security_txt(text: str) -> dict[str, list[str]]:
    """Its fields by name, in small letters (RFC 9116, section 2.2): the values of each, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found[name.strip().lower()].append(value.strip())
    return dict(found)
