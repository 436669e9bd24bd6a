"""Access: who may act in an organisation, and the way into its database."""

from __future__ import annotations

from pigi.operations.access.authorisation import authorise, may_change, organisation_of_job, role_in
from pigi.operations.access.grants import (
    ORGANISATION,
    Stand,
    changing_access,
    find_role,
    hold_organisation,
    lock_organisation,
    still_standing,
)
from pigi.operations.access.tenant import changing, reading, take_turns

__all__ = [
    "ORGANISATION",
    "Stand",
    "authorise",
    "changing",
    "changing_access",
    "find_role",
    "hold_organisation",
    "lock_organisation",
    "may_change",
    "organisation_of_job",
    "reading",
    "role_in",
    "still_standing",
    "take_turns",
]
