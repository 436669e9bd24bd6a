"""Exports: their scopes and states, how long a link to a file holds, and what the files are called."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final


class ExportScope(StrEnum):
    """What an export is a copy of; names are permanent."""

    CONFIGURATION = "configuration"
    """What an organisation made, as one JSON document that Pigi reads again (P31)."""
    ACCESS = "access"
    """What is held about a person (P28)."""


class ExportState(StrEnum):
    """How far an export is; names are permanent. docs/state-machines.md draws it."""

    PREPARING = "preparing"
    """Its job has not ended. Left by the job."""
    READY = "ready"
    """The file is whole. Left by the job's cleanup, 7 days later (`Retention.EXPORT`)."""
    FAILED = "failed"
    """There is no file. Left by a retry of its job by hand."""
    EXPIRED = "expired"
    """The file is gone. Left by nobody."""


MOST_PREPARING: Final = 3
"""Exports that one organisation, or one person, may have preparing at once."""
LINK_PERIOD: Final = timedelta(hours=1)
"""How long a signed link to a file holds at most: long enough to begin a download, and useless in an old log."""


FILE_NAMES: Final[dict[ExportScope, str]] = {
    ExportScope.CONFIGURATION: "pigi-configuration-{day}.json",
    ExportScope.ACCESS: "pigi-access-{day}.zip",
}
MEDIA_TYPES: Final[dict[ExportScope, str]] = {
    ExportScope.CONFIGURATION: "application/json",
    ExportScope.ACCESS: "application/zip",
}
