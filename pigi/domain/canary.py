"""The canary: an organisation and accounts of Pigi's own, with which probes try what people do. They are nobody's."""

from __future__ import annotations

from typing import Final

KIND: Final = "canary"
"""The kind of its accounts, beside ``person`` and ``operator``: what is done to all people is not done to them."""
NAME: Final = "pigi:canary"
"""Who requests its jobs, as rows name them."""
DOMAIN: Final = "canary.invalid"
"""Where its addresses are. No mail server can ever be there (RFC 6761, section 6.4)."""


def address_of(token: str) -> str:
    """An address of a canary's account."""
    return f"{token}@{DOMAIN}"


def is_canary(email_key: str) -> bool:
    """Whether an address is a canary's, to which nothing is ever sent."""
    return email_key.endswith(f"@{DOMAIN}")
