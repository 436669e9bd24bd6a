"""Deletions of organisations and accounts: their states, those of their steps, and what a receipt counts (P26)."""

from __future__ import annotations

from enum import StrEnum


class DeletionScope(StrEnum):
    """What a deletion is of; names are permanent."""

    ORGANISATION = "organisation"
    ACCOUNT = "account"


class DeletionState(StrEnum):
    """How far a deletion is; names are permanent. docs/state-machines.md draws it."""

    GRACE = "grace"
    """It can be undone. Left by whoever restores, with the row, or by the deletion's job once the grace is over."""
    SEALED = "sealed"
    """No way back, and what is at work for it winds down. Left by the job when no lease is held any more."""
    PURGING = "purging"
    """Step by step everything goes. Left by the job when each step is done."""
    SEARCHING = "searching"
    """All should be gone. Left by the job when the final search found nothing anywhere."""
    DONE = "done"
    """The receipt can be read. Left by nobody; the row goes after its period (`Retention.DELETION`)."""


MOVES: dict[DeletionState, frozenset[DeletionState]] = {
    DeletionState.GRACE: frozenset({DeletionState.SEALED}),
    DeletionState.SEALED: frozenset({DeletionState.PURGING}),
    DeletionState.PURGING: frozenset({DeletionState.SEARCHING}),
    DeletionState.SEARCHING: frozenset({DeletionState.DONE}),
    DeletionState.DONE: frozenset(),
}
"""The legal moves. Whoever restores removes the row, in `GRACE` alone."""


class StepState(StrEnum):
    """How far a step of a deletion is; names are permanent."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    """Tried without success; it is tried again with the deletion's job."""
    DONE = "done"


class Place(StrEnum):
    """Where a step removes; a receipt has a count for each. Names are permanent."""

    DATABASE = "database"
    FILES = "files"
    BROKER = "broker"
    LOGS = "logs"
    JOBS = "jobs"
    MAILS = "mails"
    BILLING = "billing"
    BACKUPS = "backups"


RECEIPT_FORMAT = "pigi-receipt"
"""What a receipt says that it is."""
SEARCH = "search"
"""The name of each deletion's last step; its count is what the final search found."""


def sources(target: DeletionState) -> list[str]:
    """The states that a deletion may come from into ``target``."""
    return [state.value for state, targets in MOVES.items() if target in targets]
