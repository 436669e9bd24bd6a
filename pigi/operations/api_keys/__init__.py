"""API keys: issuing, listing, rotating, revoking, and warning before they expire."""

from __future__ import annotations

from pigi.operations.api_keys.expiry import warn_of_ends
from pigi.operations.api_keys.keys import (
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_DAYS,
    LONGEST_DAYS,
    LONGEST_OVERLAP_DAYS,
    PREFIX,
    IssuedKey,
    authenticate,
    end_key,
    issue_key,
    make_key,
    revoke_key,
    rotate_key,
)
from pigi.operations.api_keys.listing import (
    KeyState,
    KeyView,
    keys_of,
    keys_of_account,
    list_all_keys,
    list_keys,
    read_key,
)
from pigi.operations.api_keys.settling import settle_keys

__all__ = [
    "DEFAULT_DAYS",
    "DEFAULT_OVERLAP_DAYS",
    "LONGEST_DAYS",
    "LONGEST_OVERLAP_DAYS",
    "PREFIX",
    "IssuedKey",
    "KeyState",
    "KeyView",
    "authenticate",
    "end_key",
    "issue_key",
    "keys_of",
    "keys_of_account",
    "list_all_keys",
    "list_keys",
    "make_key",
    "read_key",
    "revoke_key",
    "rotate_key",
    "settle_keys",
    "warn_of_ends",
]
