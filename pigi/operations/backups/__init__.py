"""Backups: encrypted copies of all databases, and restoring them without what was deleted since."""
