"""What waits to be sent on a connection: handed on in pieces, at the pace of its reader, who must not be too slow."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from web.server import limits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable


class Outlet:
    """Nothing is copied but the piece that the kernel did not take whole, so one answer can wait for many readers."""

    def __init__(self, transport: asyncio.Transport, now: Callable[[], float]) -> None:
        self._transport, self._now = transport, now
        transport.set_write_buffer_limits(high=0)
        self._pieces: deque[bytes | memoryview] = deque()
        self.blocked = False
        """Whether the kernel takes no more at the moment."""
        self._handed = 0
        self._since: float | None = None
        self._taken_then = self._taken_last = 0
        self._moved_at = 0.0

    @property
    def empty(self) -> bool:
        """Whether all has been handed on."""
        return not self._pieces

    @property
    def waits(self) -> bool:
        """Whether anything waits for the reader."""
        return self._since is not None

    def put(self, pieces: Iterable[bytes], size: int) -> None:
        """Send these after what waits already; ``size`` is their length."""
        if size <= limits.PIECE:
            self._pieces.append(b"".join(pieces))
        else:
            self._pieces.extend(pieces)

    def pump(self) -> int:
        """Hand on what can be; the number of bytes that were."""
        pieces, freed = self._pieces, 0
        while pieces and not self.blocked:
            piece = pieces[0]
            if len(piece) > limits.PIECE:
                whole = memoryview(piece)
                piece, pieces[0] = whole[: limits.PIECE], whole[limits.PIECE :]
            else:
                pieces.popleft()
            freed += len(piece)
            self._transport.write(piece)
        self._handed += freed
        if not pieces and not self.blocked:
            self._since = None
        elif self._since is None:
            self._since = self._moved_at = self._now()
            self._taken_then = self._taken_last = self._taken
        return freed

    def clear(self) -> None:
        """Forget it: the connection is gone."""
        self._pieces.clear()

    def is_overdue(self, moment: float) -> bool:
        """Whether the reader took nothing for too long, or too little for very long."""
        if self._since is None:
            return False
        taken, waited = self._taken, moment - self._since
        if taken != self._taken_last:
            self._taken_last, self._moved_at = taken, moment
        if moment - self._moved_at > limits.READER_SECONDS:
            return True
        return waited > limits.READER_GRACE and taken - self._taken_then < waited * limits.READER_BYTES_A_SECOND

    @property
    def _taken(self) -> int:
        """Bytes that the kernel has taken so far."""
        return self._handed - self._transport.get_write_buffer_size()
