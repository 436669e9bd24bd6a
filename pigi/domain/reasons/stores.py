"""What the stores, deletions, the audit chain and exports say."""

from __future__ import annotations

from typing import Final

from pigi.domain.reasons.reason import AGAIN, Reason

STORES: Final[dict[str, Reason]] = {
    # The audit chain
    "audit_broken": Reason(
        "The audit chain does not hold together.",
        "Keep the database as it is and run `pigi audit verify`, which says what was done to which entry.",
    ),
    # The stores
    "tenant_missing": Reason(
        "The organisation has no database or no key.", "Wait a moment if it is new; it may be deleted."
    ),
    "search_incomplete": Reason(
        "A place where data may be could not be looked at, so nobody can say yet that nothing is left.", AGAIN
    ),
    "tenants_busy": Reason("Too many organisations are being worked for at once.", "Try again later."),
    "key_missing": Reason(
        "The installation lacks the key that opens this.", "Tell the operator: put it back in the keyring."
    ),
    "seal_broken": Reason(
        "What was stored cannot be opened.", "Tell the operator: it was altered, moved or its key is gone."
    ),
    "tenant_behind": Reason(
        "The organisation's database is being brought up to date.", "Try again later; an operator runs `pigi migrate`."
    ),
    # Deletion
    "broker_away": Reason("Redis did not answer.", "Nothing: it is tried again."),
    "deletion_waiting": Reason(
        "Something is still at work for what is deleted.", "Nothing: it ends in minutes, and the deletion goes on."
    ),
    "deletion_left_over": Reason(
        "The final search found something that should be gone.",
        "Look at the deletion's steps and tell the maintainers; it is searched again, and there is no receipt before.",
    ),
    "files_away": Reason(
        "The store of files is away or full.", "Try again later; if it repeats, tell the operator: FILES_URL names it."
    ),
    # Exports
    "reason_required": Reason(
        "An operator's export needs a reason.", "Say on one line why; it stays in the audit log for two years."
    ),
    "export_gone": Reason("The export was removed before it was written.", "Ask for a new one."),
    "export_not_ready": Reason(
        "The export is still being prepared.", "Follow its job, and fetch the file when that has succeeded."
    ),
    "export_failed": Reason(
        "The export could not be prepared.", "Its job says why. Retry that, or ask for a new export."
    ),
    "export_expired": Reason("The export's file was removed after its 7 days.", "Ask for a new export."),
    "range_unsatisfiable": Reason(
        "The file does not reach so far.", "Ask for a range within the size that Content-Range names, or for all of it."
    ),
    "too_many_downloads": Reason("Many files are being fetched at the moment.", "Come back after a while."),
}
