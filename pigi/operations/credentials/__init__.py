"""Credentials: passwords, tokens of links and cookies, and the throttling of guesses."""

from __future__ import annotations

from pigi.operations.credentials.passwords import is_password, new_hash, place, renewed
from pigi.operations.credentials.throttling import forgive, may, take
from pigi.operations.credentials.tokens import (
    ADDRESS,
    INVITATION,
    NEW_ADDRESS,
    NEW_PASSWORD,
    OLD_ADDRESS,
    RESET,
    TOKEN_PATTERN,
    WELCOME,
    is_token,
    mailed_token,
    token_hash,
)

__all__ = [
    "ADDRESS",
    "INVITATION",
    "NEW_ADDRESS",
    "NEW_PASSWORD",
    "OLD_ADDRESS",
    "RESET",
    "TOKEN_PATTERN",
    "WELCOME",
    "forgive",
    "is_password",
    "is_token",
    "mailed_token",
    "may",
    "new_hash",
    "place",
    "renewed",
    "take",
    "token_hash",
]
