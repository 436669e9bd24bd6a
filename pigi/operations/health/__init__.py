"""Health: liveness and readiness now, and when Pigi stood still of late."""

from __future__ import annotations

from pigi.operations.health.health import Check, Readiness, readiness
from pigi.operations.health.interruptions import Interruption, Interruptions, interruptions_in, read_interruptions

__all__ = ["Check", "Interruption", "Interruptions", "Readiness", "interruptions_in", "read_interruptions", "readiness"]
