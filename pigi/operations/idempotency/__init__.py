"""Idempotency keys: a repeated request gets the answer of the first."""

from __future__ import annotations

from pigi.operations.idempotency.heartbeat import ReservationHeartbeat
from pigi.operations.idempotency.reservations import TABLE, Reservation, StoredResponse, reserve

__all__ = ["TABLE", "Reservation", "ReservationHeartbeat", "StoredResponse", "reserve"]
