"""The states of projects and resources."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Whether a project or a resource is in use; names are permanent."""

    ACTIVE = "active"
    ARCHIVED = "archived"
