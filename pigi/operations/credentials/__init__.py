"""Credentials: passwords, tokens of links and cookies, and the throttling of guesses."""

from __future__ import annotations

from pigi.operations.credentials.passwords import hashing_slot, is_password, new_hash, renewed
from pigi.operations.credentials.throttling import acquire, reset_throttles, try_acquire
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
    "acquire",
    "hashing_slot",
    "is_password",
    "is_token",
    "mailed_token",
    "new_hash",
    "renewed",
    "reset_throttles",
    "token_hash",
    "try_acquire",
]
