"""Promises: the controls that keep them, checked on schedule, and how each stands."""

from __future__ import annotations

from pigi.operations.promises.alarms import tell_changes, watch
from pigi.operations.promises.attestations import (
    LONGEST,
    STATEMENT_LENGTH,
    attest,
    list_attestations,
    withdraw_attestation,
)
from pigi.operations.promises.catalogue import all_controls, controls_of
from pigi.operations.promises.checking import check_controls, check_group
from pigi.operations.promises.document import document_of, promises_document
from pigi.operations.promises.rounds import begin_acts, begin_round
from pigi.operations.promises.standing import ControlStanding, PromiseStanding, promises_standing

__all__ = [
    "LONGEST",
    "STATEMENT_LENGTH",
    "ControlStanding",
    "PromiseStanding",
    "all_controls",
    "attest",
    "begin_acts",
    "begin_round",
    "check_controls",
    "check_group",
    "controls_of",
    "document_of",
    "list_attestations",
    "promises_document",
    "promises_standing",
    "tell_changes",
    "watch",
    "withdraw_attestation",
]
