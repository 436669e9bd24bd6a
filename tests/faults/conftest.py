"""What drills share."""

from __future__ import annotations

from tests.support.stack_fixtures import engine, note, shared_stack, stack

__all__ = ["engine", "note", "shared_stack", "stack"]
