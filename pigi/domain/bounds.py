"""How much configuration one organisation may keep, written once.

Archived things do not count: they cost a row, and a count that nobody can lower would be a trap.
"""

from __future__ import annotations

from typing import Final

PROJECTS: Final = 200
"""Active projects of an organisation."""
RESOURCES: Final = 500
"""Active resources of a project, all kinds together."""
CONTENT_BYTES: Final = 256 * 1024
"""A resource's content as it is sent: 50,000 characters of prose take up to 200,000 bytes in UTF-8."""
DESCRIPTION_LENGTH: Final = 2000
"""Characters of a project's description."""
