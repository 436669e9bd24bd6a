"""Backups: encrypted copies of all databases, and restoring them without what was deleted since."""

from __future__ import annotations

from pigi.operations.backups.listing import BackupView, adopt_backups, list_backups
from pigi.operations.backups.making import MadeBackup, make_backup, make_daily
from pigi.operations.backups.manifests import FOLDER
from pigi.operations.backups.restoring import RestoredBackup, restore_backup

__all__ = [
    "FOLDER",
    "BackupView",
    "MadeBackup",
    "RestoredBackup",
    "adopt_backups",
    "list_backups",
    "make_backup",
    "make_daily",
    "restore_backup",
]
