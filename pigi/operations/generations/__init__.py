"""Generations: requesting, drafting, reading, accepting and discarding drafts."""

from __future__ import annotations

from pigi.operations.generations.acceptance import Edit, Target, accept_draft, discard_draft
from pigi.operations.generations.drafting import draft_request, write_draft
from pigi.operations.generations.generations import (
    GENERATION,
    TABLE,
    GenerationView,
    LivePiece,
    clean_up,
    live_text,
    read_generation,
    request_generation,
    restore_purpose,
    waiting_drafts,
)
from pigi.operations.generations.orphans import sweep_generations

__all__ = [
    "GENERATION",
    "TABLE",
    "Edit",
    "GenerationView",
    "LivePiece",
    "Target",
    "accept_draft",
    "clean_up",
    "discard_draft",
    "draft_request",
    "live_text",
    "read_generation",
    "request_generation",
    "restore_purpose",
    "sweep_generations",
    "waiting_drafts",
    "write_draft",
]
