"""Credentials: passwords, codes, tokens of links and cookies, and the throttling of guesses."""

from __future__ import annotations

from pigi.operations.credentials.codes import (
    FACTOR,
    RECOVERY,
    Proof,
    acquire_code,
    has_factor,
    matching_step,
    new_recovery_code,
    new_secret,
    read_code,
    recovery_hash,
    secret_text,
    setup_uri,
    spend_code,
)
from pigi.operations.credentials.codes import WRONG as CODE_WRONG
from pigi.operations.credentials.failures import count_failure, counting_failures
from pigi.operations.credentials.passwords import hashing_slot, is_password, new_hash, renewed
from pigi.operations.credentials.throttling import Try, acquire, hashing, reset_throttles, try_acquire
from pigi.operations.credentials.tokens import (
    ADDRESS,
    ADDRESS_UNDO,
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
    "ADDRESS_UNDO",
    "CODE_WRONG",
    "FACTOR",
    "INVITATION",
    "NEW_ADDRESS",
    "NEW_PASSWORD",
    "OLD_ADDRESS",
    "RECOVERY",
    "RESET",
    "TOKEN_PATTERN",
    "WELCOME",
    "Proof",
    "Try",
    "acquire",
    "acquire_code",
    "count_failure",
    "counting_failures",
    "has_factor",
    "hashing",
    "hashing_slot",
    "is_password",
    "is_token",
    "mailed_token",
    "matching_step",
    "new_hash",
    "new_recovery_code",
    "new_secret",
    "read_code",
    "recovery_hash",
    "renewed",
    "reset_throttles",
    "secret_text",
    "setup_uri",
    "spend_code",
    "token_hash",
    "try_acquire",
]
