"""What an installation runs on: whether production may trust its servers, and by which ways data goes there."""

from __future__ import annotations

from pigi.operations.deployment.looks import live_lapses, refuse_lapses
from pigi.operations.deployment.ways import Way, ways_of

__all__ = ["Way", "live_lapses", "refuse_lapses", "ways_of"]
