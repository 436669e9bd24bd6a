"""Live text: what the model writes, shown while it writes. Sealed, throttled, and gone when the job ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pigi.jobs.stops import LeaseLost
from pigi.operations.generations import GENERATION, LIVE_TEXT, seal_piece

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from pigi.store.sessions import TenantSession
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
            self._keep(text)

    def _keep(self, text: str) -> None:
        try:
            self._store(text)
        except IntegrityError:
            # Another attempt wrote here: ours is lost, or the other's was and it has yet to notice.
            self._context.look()
            self._position = self._last_position()
            self._store(text)

    def _last_position(self) -> int:
        last = select(func.coalesce(func.max(LIVE_TEXT.c.position), 0)).where(
            LIVE_TEXT.c.generation_id == self._context.subject_id
        )
        with self._tenants.session(self._context.organisation_id) as tenant:
            self._fence(tenant)
            return int(tenant.connection().execute(last).scalar_one())

    def _fence(self, tenant: TenantSession) -> None:
        """Raise LeaseLost if a later attempt has the row: its end erases live text, and none may come after it."""
        generation, attempt = GENERATION.c, self._context.job.attempt
        held = generation.id == self._context.subject_id
        later = update(GENERATION).where(held, generation.fence <= attempt).values(fence=attempt)
        if tenant.connection().execute(later).rowcount != 1:
            raise LeaseLost

    def _store(self, text: str) -> None:
        self._position += 1
        generation_id = self._context.subject_id
        with self._tenants.session(self._context.organisation_id) as tenant:
            self._fence(tenant)
            tenant.connection().execute(
                insert(LIVE_TEXT),
                {
                    "generation_id": generation_id,
                    "position": self._position,
                    "turn": self._turn,
                    "text": seal_piece(tenant, generation_id, self._position, text),
                },
            )
