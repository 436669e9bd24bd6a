"""Secrets of mailed links and of cookies: shown once, kept as a hash, compared in constant time.

They have 256 random or derived bits, so a plain SHA-256 cannot be searched; slow hashes are for passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.store.keyring import Keyring

WELCOME = "welcome"
RESET = "password reset"
ADDRESS = "address change"
ADDRESS_UNDO = "address undo"
INVITATION = "invitation"

NEW_PASSWORD = "password-reset"  # noqa: S105 - a purpose
NEW_ADDRESS = "email-change"
OLD_ADDRESS = "old-address"
"""The purposes of rows in `pigi.store.people.AccountToken`. The last holds an address for the notice alone."""

TOKEN_PATTERN = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105 - a form, not a secret
_TOKEN = re.compile(TOKEN_PATTERN)


def token_hash(token: str) -> str:
    """What is kept of a token: the hash by which its row is found."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    """Whether ``text`` has a token's form; anything else is never looked up."""
    return _TOKEN.fullmatch(text) is not None


def mailed_token(keyring: Keyring, use: str, row_id: str, kept_hash: str) -> str | None:
    """The token whose hash a row keeps, for writing its mail; None when the keyring lost the key."""
    for token in keyring.tokens(use, row_id):
        if hmac.compare_digest(token_hash(token), kept_hash):
            return token
    return None
