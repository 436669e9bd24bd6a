"""API keys: issuing, listing, rotating, revoking, and warning before they expire."""

from __future__ import annotations

from pigi.operations.api_keys.expiry import warn_of_ends
from pigi.operations.api_keys.keys import (
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_DAYS,
    LONGEST_DAYS,
    LONGEST_OVERLAP_DAYS,
    IssuedKey,
    KeyView,
    authenticate,
    end_key,
    issue_key,
    list_keys,
    make_key,
    read_key,
    revoke_key,
    rotate_key,
)

__all__ = [
    "DEFAULT_DAYS",
    "DEFAULT_OVERLAP_DAYS",
    "LONGEST_DAYS",
    "LONGEST_OVERLAP_DAYS",
    "IssuedKey",
    "KeyView",
    "authenticate",
    "end_key",
    "issue_key",
    "list_keys",
    "make_key",
    "read_key",
    "revoke_key",
    "rotate_key",
    "warn_of_ends",
]
