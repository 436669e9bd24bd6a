"""Bodies on their way from the loop to a thread: one that is taken in as it comes."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from web.server import limits

if TYPE_CHECKING:
    from collections.abc import Callable


class ComingBody(io.RawIOBase):
    """What a thread reads while the loop receives; ``wanted`` is called, from the thread, when there is room for more.

    Reads raise TimeoutError when so much does not come in time, ConnectionError when the client is gone.
    """

    def __init__(self, wanted: Callable[[], None]) -> None:
        super().__init__()
        self._wanted = wanted
        self._come = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._over = self._gone = False
        self.ahead = 0
        """Bytes that are here and have not been read."""

    def feed(self, piece: bytes) -> None:
        """More of it; called by the loop, like `end` and `lose`."""
        with self._come:
            self._pieces.append(piece)
            self.ahead += len(piece)
            self._come.notify()

    def end(self) -> None:
        """That was all."""
        with self._come:
            self._over = True
            self._come.notify()

    def lose(self) -> None:
        """No more will come."""
        with self._come:
            self._gone = True
            self._come.notify()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all; fewer only at the end."""
        found, left, until = [], size, time.monotonic() + limits.READ_SECONDS
        while left and (piece := self._next(left, until)):
            found.append(piece)
            left -= len(piece) if size >= 0 else 0
        return b"".join(found)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # as io has it
        """One piece, into a buffer."""
        piece = self._next(len(buffer), time.monotonic() + limits.READ_SECONDS)
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, most: int, until: float) -> bytes:
        with self._come:
            while not self._pieces and not self._over:
                if self._gone:
                    raise ConnectionError
                if not self._come.wait(until - time.monotonic()) and time.monotonic() >= until:
                    raise TimeoutError
            if not self._pieces:
                return b""
            piece = self._pieces.popleft()
            if 0 <= most < len(piece):
                self._pieces.appendleft(piece[most:])
                piece = piece[:most]
            self.ahead -= len(piece)
        self._wanted()
        return piece
