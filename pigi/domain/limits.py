"""Limits that hold for everybody, whatever their plan: of names, and of how much configuration there may be.

Archived things do not count among those in use. Of all that exist, archived ones included, there are bounds too; an
owner lowers those counts by deleting what is archived for good.
"""

from __future__ import annotations

import re
from typing import Final

PROJECTS: Final = 200
"""Active projects of an organisation."""
RESOURCES: Final = 500
"""Active resources of a project, all kinds together."""
PROJECTS_KEPT: Final = 2_000
"""Projects of an organisation, archived ones included."""
RESOURCES_KEPT: Final = 100_000
"""Resources of an organisation, archived ones included."""
ROW_BYTES: Final = 256
"""What each stored project, resource and revision counts besides its contents: its row and its places in indexes."""
CONTENT_LENGTH: Final = 450_000
"""Characters of a resource's content, as JSON without spaces that escapes only what it must."""
CONTENT_BYTES: Final = 7 * 1024 * 1024
"""A resource's content as it is sent: what was read can be sent back, whatever writes the JSON.

A character takes up to 12 bytes where JSON is written in ASCII; the rest is for spaces between.
"""
DESCRIPTION_LENGTH: Final = 2000
"""Characters of a project's description."""

# Controls of ISO 6429 and the line and paragraph separators; surrogates that no encoding takes.
_NOT_IN_A_LINE = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]")


_NOT_IN_PROSE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]")


def is_prose(text: str, longest: int) -> bool:
    """Whether ``text`` is not blank, not longer, and without control characters but tabs and line breaks."""
    return 0 < len(text) <= longest and not text.isspace() and _NOT_IN_PROSE.search(text) is None


def is_line(text: str, longest: int) -> bool:
    """Whether ``text`` is not blank, not longer, and on one line: what `web.http.texts` lets through."""
    return 0 < len(text) <= longest and not text.isspace() and _NOT_IN_A_LINE.search(text) is None
