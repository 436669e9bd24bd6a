"""Access: who may act in an organisation, and sessions on its database."""

from __future__ import annotations

from pigi.operations.access.authorisation import authorise, is_own_export, may_change, organisation_of_job, role_in
from pigi.operations.access.choices import choices_in, choices_of
from pigi.operations.access.grants import (
    ORGANISATION,
    AccessGrant,
    changing_access,
    find_role,
    hold_organisation,
    is_vouched_for,
    lock_organisation,
    still_granted,
    vouch_for,
)
from pigi.operations.access.tenant import changing, reading, serialise_changes

__all__ = [
    "ORGANISATION",
    "AccessGrant",
    "authorise",
    "changing",
    "changing_access",
    "choices_in",
    "choices_of",
    "find_role",
    "hold_organisation",
    "is_own_export",
    "is_vouched_for",
    "lock_organisation",
    "may_change",
    "organisation_of_job",
    "reading",
    "role_in",
    "serialise_changes",
    "still_granted",
    "vouch_for",
]
