"""Storage: making room by deleting for good what is archived."""

from __future__ import annotations

from pigi.operations.storage.deleting import delete_project, delete_resource

__all__ = ["delete_project", "delete_resource"]
