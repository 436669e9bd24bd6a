"""The states of projects and resources."""

from __future__ import annotations

from enum import StrEnum


class ResourceState(StrEnum):
    """Whether a project or a resource is in use; names are permanent. Kept as long as the organisation is active."""

    ACTIVE = "active"
    """In use, and alone of its name. Left by a member who archives it."""
    ARCHIVED = "archived"
    """Kept and not in use; another may have its name. Left by a member who brings it back."""
