"""Deletion of organisations: requesting, undoing and purging."""

from __future__ import annotations

from pigi.operations.deletion.purge import purge_organisation
from pigi.operations.deletion.requests import (
    close_organisation,
    delete_organisation,
    restore_organisation,
    sweep_organisations,
)

__all__ = [
    "close_organisation",
    "delete_organisation",
    "purge_organisation",
    "restore_organisation",
    "sweep_organisations",
]
