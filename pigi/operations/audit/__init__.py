"""The audit chain: writing it, reading it, verifying it."""

from __future__ import annotations

from pigi.operations.audit.chain import CLI, CONTENT, erase_content, record
from pigi.operations.audit.reading import PAGE, AuditView, entries_about, list_entries, list_own_entries
from pigi.operations.audit.verification import (
    SignedHead,
    Verdict,
    anchor_daily,
    anchors_not_renewed,
    prune,
    renew,
    signed_head,
    verify,
    verify_newest,
)

__all__ = [
    "CLI",
    "CONTENT",
    "PAGE",
    "AuditView",
    "SignedHead",
    "Verdict",
    "anchor_daily",
    "anchors_not_renewed",
    "entries_about",
    "erase_content",
    "list_entries",
    "list_own_entries",
    "prune",
    "record",
    "renew",
    "signed_head",
    "verify",
    "verify_newest",
]
