"""Health: liveness and readiness."""

from __future__ import annotations

from pigi.operations.health.health import Check, readiness

__all__ = ["Check", "readiness"]
