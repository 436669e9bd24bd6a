"""Idempotency keys: a repeated request gets the answer of the first."""

from __future__ import annotations

from pigi.operations.idempotency.reservations import TABLE, Answer, Reservation, reserve

__all__ = ["TABLE", "Answer", "Reservation", "reserve"]
