"""What organisations, their members and their keys are refused for."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import Reason

PEOPLE: Final[dict[str, Reason]] = {
    "not_for_operators": Reason(
        "An operator's account belongs to no organisation.", "Sign in with an account of your own, or register one."
    ),
    "invalid_address": Reason("Mail cannot be sent to this address.", "Give one such as name@example.com."),
    "address_taken": Reason("The address has an account.", "Operators' accounts are apart: choose another address."),
    "not_restorable": Reason(
        "The organisation is not being deleted, or can no longer be restored.",
        "Read it: 'state' says which. An organisation can be restored for 7 days after its deletion was requested.",
    ),
    "last_owner": Reason("The organisation would have no owner.", "Make somebody else an owner first."),
    "already_member": Reason("Whoever has this address is a member.", "Change their role instead."),
    "invitation_for_another": Reason(
        "The invitation is for another address than the one you are signed in with.",
        "Sign out, then open the link again and sign in with the address that it was sent to.",
    ),
    "key_over": Reason("The key was revoked or has expired.", "Make a new key."),
    "key_rotated": Reason(
        "The key was rotated already, and its successor works.",
        "Use the successor ('successor' is its id), or revoke that and rotate again. This key ends at 'until'.",
    ),
    "too_many_keys": Reason("The organisation has as many live keys as it may.", "Revoke one that is not used."),
}
