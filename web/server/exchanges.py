"""One request on its way through the application and its answer on the way back, as WSGI has it (PEP 3333)."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from web.http import logs
from web.http.context import FACTS, RequestFacts
from web.server.limits import WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from web.server.shared import Shared
    from web.server.shares import Holding

_LINES = {str(status.value): f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}
"""As RFC 9110 spells the phrases; WSGI applications shout them."""
BODILESS = frozenset({204, 304})
_BREAKS = frozenset("\r\n\0")


class ClientGoneError(Exception):
    """Nobody is there to send to, or they read too slowly and were cut off."""


class _Day:
    """The Date header, made once a second."""

    second, line = 0, ""

    @classmethod
    def now(cls) -> str:
        second = int(time.time())
        if second != cls.second:
            cls.second, cls.line = second, f"\r\ndate: {formatdate(second, usegmt=True)}"
        return cls.line


class Channel(Protocol):
    """The connection, as far as an answer needs it."""

    @property
    def body_complete(self) -> bool:
        """Whether the request has come whole."""

    def send(self, exchange: Exchange, pieces: list[bytes], *, last: bool) -> None:
        """Pieces of an answer, in order; after the ``last`` the request is over."""

    def end(self) -> None:
        """End the connection at once."""


class Exchange:
    """What a thread runs: for as long as the application works, and as long as the loop lets a reader wait.

    ``held`` is what it has of shares: released when that is over, whether or not the client is still there.
    """

    def __init__(
        self, shared: Shared, channel: Channel, environ: dict[str, Any], *, persistent: bool, held: list[Holding]
    ) -> None:
        self._shared, self._channel = shared, channel
        self._environ, self._held = environ, held
        self.persistent = persistent
        self._status, self._headers = "", []  # type: tuple[str, list[tuple[str, str]]]
        self._room = threading.Condition()
        self._waiting = 0
        self._gone = False

    def run(self) -> None:
        """Answer it; raises nothing."""
        result: Any = None
        try:
            result = self._shared.application(self._environ, self._start)
            if isinstance(result, list | tuple):
                self._answer_whole(result)
            else:
                self._answer_streamed(result)
        except ClientGoneError:
            self._tell(self._channel.end)
        except BaseException as error:  # noqa: BLE001 - a thread serves the next request, whatever this one did
            logs.failure(self._environ.get(FACTS) or RequestFacts("-"), error)
            self._tell(self._channel.end)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                with suppress(Exception):
                    close()
            # A slow reader keeps this for minutes, but not the body, and what the application has made of it.
            for name in [name for name, value in self._environ.items() if not isinstance(value, str)]:
                del self._environ[name]
            for holding in self._held:
                self._tell(holding.release)

    def lose(self) -> None:
        """The client is gone; called by the loop."""
        with self._room:
            self._gone = True
            self._room.notify_all()

    def freed(self, count: int) -> None:
        """So many bytes have been handed on; called by the loop."""
        with self._room:
            self._waiting -= count
            self._room.notify_all()

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], object]:
        self._status, self._headers = status, headers
        return self._no_writing

    def _no_writing(self, _data: bytes) -> None:
        raise NotImplementedError

    def _head(self, length: int | None, *, chunked: bool = False) -> bytes:
        """The status line and headers; ``length`` is that of the body, if no header says it."""
        lines = [_LINES.get(self._status[:3]) or f"HTTP/1.1 {self._status}"]
        named = False
        for name, value in self._headers:
            if not _BREAKS.isdisjoint(name) or not _BREAKS.isdisjoint(value):
                raise ValueError
            named = named or name.lower() == "content-length"
            lines.append(f"{name}: {value}")
        if length is not None and not named:
            lines.append(f"content-length: {length}")
        if chunked:
            lines.append("transfer-encoding: chunked")
        if not self.persistent:
            lines.append("connection: close")
        return ("\r\n".join(lines) + _Day.now() + "\r\n\r\n").encode("latin-1")

    @property
    def _bodiless(self) -> bool:
        return self._environ["REQUEST_METHOD"] == "HEAD" or int(self._status[:3]) in BODILESS

    def _answer_whole(self, pieces: Iterable[bytes]) -> None:
        pieces = [piece for piece in pieces if piece]
        if not self._channel.body_complete:
            self.persistent = False
        if self._bodiless:
            self._send([self._head(None)], last=True)
        else:
            self._send([self._head(sum(map(len, pieces))), *pieces], last=True)

    def _answer_streamed(self, pieces: Iterable[bytes]) -> None:
        left, chunked = self._framing()
        begun = False
        for piece in pieces:
            if not begun:
                begun = True
                self._push([self._head(None, chunked=chunked)])
            if piece and not self._bodiless:
                self._push([b"%x\r\n" % len(piece), piece, b"\r\n"] if chunked else [piece])
                left = None if left is None else left - len(piece)
        if not begun:
            self._push([self._head(None, chunked=chunked)])
        if left:
            # Less than was announced: the client must see it, and does once the connection ends.
            self.persistent = False
        self._send([b"0\r\n\r\n"] if chunked else [], last=True)

    def _framing(self) -> tuple[int | None, bool]:
        """The bytes that were announced, if they were, and whether pieces are framed (RFC 9112, section 7.1)."""
        if not self._channel.body_complete:
            self.persistent = False
        if self._bodiless:
            return None, False
        for name, value in self._headers:
            if name.lower() == "content-length":
                return int(value), False
        chunked = self._environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self.persistent = self.persistent and chunked
        return None, chunked

    def _push(self, pieces: list[bytes]) -> None:
        """Send, at the pace of the reader; the loop ends the connection of one that is too slow."""
        size = sum(map(len, pieces))
        with self._room:
            while self._waiting >= WINDOW and not self._gone:
                self._room.wait()
            if self._gone:
                raise ClientGoneError
            self._waiting += size
        self._send(pieces, last=False)

    def _send(self, pieces: list[bytes], *, last: bool) -> None:
        self._tell(partial(self._channel.send, self, pieces, last=last))

    def _tell(self, act: Callable[[], object]) -> None:
        self._shared.call(act)
