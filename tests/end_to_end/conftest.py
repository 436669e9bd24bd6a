"""What drills share."""

from __future__ import annotations

from tests.support.stack_fixtures import engine, shared_stack, stack

__all__ = ["engine", "shared_stack", "stack"]
