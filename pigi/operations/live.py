"""Live text: what the model writes, shown while it writes. Sealed, throttled, and gone when the job ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from pigi.operations.generations import LIVE_TEXT, seal_piece

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from pigi.store.tenants import Tenants

FLUSH_SECONDS = 0.2
LOOK_SECONDS = 1.0


class LiveWriter:
    """Collects a turn's text and stores it a few times a second; each time is a checkpoint of the job."""

    def __init__(self, context: JobContext, tenants: Tenants, turn: int) -> None:
        self._context = context
        self._tenants = tenants
        self._turn = context.job.attempt * 10 + turn
        self._position = self._last_position()
        self._pending: list[str] = []
        self._flushed_at = self._looked_at = time.monotonic()

    def __call__(self, text: str) -> None:
        """Take a piece; may raise what `JobContext.checkpoint` raises, which closes the stream."""
        self._pending.append(text)
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Store what was collected."""
        self._flushed_at = time.monotonic()
        if self._flushed_at - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._flushed_at
            self._context.look()
        self._context.checkpoint()
        text, self._pending = "".join(self._pending), []
        if text:
            self._store(text)

    def _last_position(self) -> int:
        last = select(func.coalesce(func.max(LIVE_TEXT.c.position), 0)).where(
            LIVE_TEXT.c.generation_id == self._context.subject_id
        )
        with self._tenants.read(self._context.organisation_id) as tenant:
            return int(tenant.connection().execute(last).scalar_one())

    def _store(self, text: str) -> None:
        self._position += 1
        generation_id = self._context.subject_id
        with self._tenants.session(self._context.organisation_id) as tenant:
            tenant.connection().execute(
                insert(LIVE_TEXT),
                {
                    "generation_id": generation_id,
                    "position": self._position,
                    "turn": self._turn,
                    "text": seal_piece(tenant, generation_id, self._position, text),
                },
            )
