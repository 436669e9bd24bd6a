"""A connection: requests in, answers out, each at its client's pace and none for longer than its deadline."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import httptools

from web.http.requests import MOST_BYTES
from web.http.transport import network_of
from web.server import limits
from web.server.bodies import ComingBody
from web.server.exchanges import Exchange
from web.server.heads import environ_of, flaw_of
from web.server.incoming import USUAL, Incoming
from web.server.outlets import Outlet
from web.server.refusals import refusal

if TYPE_CHECKING:
    from web.server.shared import Shared
    from web.server.shares import Holding

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MALFORMED = ("malformed_request", 400)


class Connection(asyncio.Protocol):
    """All of it runs in the loop; what a thread does for it is in `web.server.exchanges`.

    At most one request is answered at a time. Of what comes meanwhile a little is kept, then nothing is read.
    """

    _transport: asyncio.Transport
    _outlet: Outlet

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Incoming | None = None
        self._ready: deque[Incoming] = deque()
        self._current: Incoming | None = None
        self._exchange: Exchange | None = None
        self._flaw: tuple[str, int] | None = None
        self._head_bytes = 0
        self._lingers = self._upgrades = self._paused = self._lost = self._last = False
        self._deadline = shared.now() + limits.HEAD_SECONDS
        self._place: Holding | None = None
        self._large_answer: Holding | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's
        self._outlet = Outlet(self._transport, self._shared.now)
        peer = transport.get_extra_info("peername") or ("", 0)
        self._address, self._port = str(peer[0]), str(peer[1])
        # Behind proxies all connections are theirs, and nothing is known of whose requests they bring.
        self._network = "" if self._shared.proxies else network_of({"REMOTE_ADDR": self._address}, 0)
        self._shared.open.add(self)
        self._place = self._shared.connections.take(self._network, give_up=self._transport.abort)
        if self._place is None:
            self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._lost = True
        self._shared.open.discard(self)
        if self._exchange is not None:
            self._exchange.lose()
        self._release()
        for holding in (self._place, self._large_answer):
            if holding is not None:
                holding.release()
        self._outlet.clear()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._outlet.blocked = True

    def resume_writing(self) -> None:
        self._outlet.blocked = False
        self._pump()

    def data_received(self, data: bytes) -> None:
        if self._lingers or self._upgrades:
            return
        before = self._incoming
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing is upgraded: the request is answered as it is, and nothing after it is read (RFC 9110, 7.8).
            self._upgrades = True
        except httptools.HttpParserError:
            self._flaw = self._flaw or _MALFORMED
        self._count(len(data), before)
        if self._flaw is not None:
            self._refuse(*self._flaw)
        elif self._exchange is not None and (self._ready or self._incoming not in (None, self._current)):
            self._pause()

    def _count(self, size: int, before: Incoming | None) -> None:
        """Bound what so many bytes brought that no callback counts: heads, framing of chunks, and trailers."""
        request = self._incoming
        if request is None:
            return
        if not request.environ:
            self._head_bytes += size
            if self._head_bytes > limits.HEAD_BYTES:
                self._flaw = self._flaw or ("headers_too_large", 431)
        elif request is before:
            request.frame_bytes += size
            if request.frame_bytes > limits.HEAD_BYTES + limits.FRAMES_TO_BODY * request.body_bytes:
                self._flaw = self._flaw or _MALFORMED

    # What the parser calls. Nothing is raised here: the parser would wrap it and go on.

    def on_message_begin(self) -> None:
        if self._incoming is not None or len(self._ready) >= limits.MOST_PIPELINED:
            self._flaw = _MALFORMED
            return
        self._incoming = Incoming()
        self._head_bytes = 0
        self._deadline = self._shared.now() + limits.HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        if self._incoming is not None:
            self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        request = self._incoming
        # Not in trailers, which come after the body and mean nothing here.
        if request is not None and not request.environ:
            request.headers.append((name, value))
            request.size += len(name) + len(value) + 4

    def on_headers_complete(self) -> None:
        request, parser, shared = self._incoming, self._parser, self._shared
        if request is None or self._flaw is not None:
            return
        version = parser.get_http_version()
        self._flaw = flaw_of(version, request.headers, request.size + len(request.target))
        if self._flaw is not None:
            return
        method = parser.get_method().decode("ascii")
        environ = environ_of(shared.names, method, request.target, version, request.headers)
        length = environ.get("CONTENT_LENGTH") or "0" if environ else "0"
        bodied = length != "0" or "HTTP_TRANSFER_ENCODING" in environ
        if not environ or (bodied and parser.should_upgrade()):
            self._flaw = _MALFORMED
            return
        environ.update(shared.environ)
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = self._address, self._port
        request.environ, request.headers = environ, []
        request.network = network_of(environ, shared.proxies) if shared.proxies else self._network
        request.persistent = parser.should_keep_alive() and not parser.should_upgrade()
        if bodied:
            self._expect_body(request, None if "HTTP_TRANSFER_ENCODING" in environ else int(length))

    def on_body(self, piece: bytes) -> None:
        request = self._incoming
        if request is None or self._flaw is not None or self._lingers:
            return
        request.body_bytes += len(piece)
        if isinstance(request.body, ComingBody):
            request.body.feed(piece)
            if request.body.ahead > limits.AHEAD:
                self._pause()
        elif request.body is not None:
            request.body += piece
            if len(request.body) > request.most_bytes:
                self._flaw = ("body_too_large", 413)

    def on_message_complete(self) -> None:
        request, self._incoming = self._incoming, None
        if request is None or self._flaw is not None or self._lingers:
            return
        request.finish()
        if request is self._current:
            return
        self._ready.append(request)
        if self._exchange is None:
            self._begin(self._ready.popleft())

    # A body.

    def _expect_body(self, request: Incoming, length: int | None) -> None:
        """Make room for a body of ``length`` bytes, or of as many as may come, or find why not."""
        environ, intake, shared = request.environ, USUAL, self._shared
        if length is None or length > MOST_BYTES:
            intake = shared.intake_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
            if intake.as_it_comes:
                self._take_as_it_comes(request)
                return
        size = intake.most_bytes if length is None else length
        if size > intake.most_bytes:
            self._flaw = ("body_too_large", 413)
            return
        request.body, request.most_bytes = bytearray(), intake.most_bytes
        request.receiving = shared.bodies.take(request.network, 1, self._give_up)
        if size > limits.LARGE_BYTES:
            request.large = shared.large_bodies.take(request.network, size, self._give_up)
        if request.receiving is None or (size > limits.LARGE_BYTES and request.large is None):
            self._flaw = ("unavailable", 503)
            return
        self._deadline = shared.now() + max(limits.BODY_SECONDS, size / limits.BYTES_A_SECOND)
        self._continue(request)

    def _take_as_it_comes(self, request: Incoming) -> None:
        if self._exchange is not None or self._ready:
            # It would have to wait in memory for its turn; nobody pipelines files.
            self._flaw = _MALFORMED
            return
        request.body = ComingBody(self._want_more)
        self._continue(request)
        self._begin(request)

    def _continue(self, request: Incoming) -> None:
        if request.environ.get("HTTP_EXPECT", "").lower() == "100-continue" and self._exchange is None:
            self._transport.write(CONTINUE)

    def _want_more(self) -> None:
        """Called by the thread that takes a body in."""
        if self._paused:
            self._shared.call(self._resume)

    def _give_up(self) -> None:
        """Another body needs the place of this one."""
        self._refuse("body_too_slow", 408)

    # A request and its answer.

    @property
    def body_complete(self) -> bool:
        """Whether the request that is being answered has come whole."""
        return self._current is None or self._current.complete

    def _begin(self, request: Incoming) -> None:
        shared = self._shared
        self._current = request
        turn = shared.turns.take(request.network)
        if turn is None:
            self._refuse("too_many_at_once", 429)
            return
        request.give_input()
        self._occupy(idle=False)
        self._last = False
        persistent = request.persistent and not shared.stopping
        held, request.large = [turn, *([request.large] if request.large else [])], None
        self._exchange = Exchange(shared, self, request.environ, persistent=persistent, held=held)
        shared.threads.start(self._exchange.run)

    def send(self, exchange: Exchange, pieces: list[bytes], *, last: bool) -> None:
        """Pieces of an answer, in order; after the ``last`` the request is over."""
        if exchange is not self._exchange or self._lost:
            exchange.lose()
            return
        size = sum(map(len, pieces))
        if last and size > limits.PIECE:
            # A streamed answer has its window; a whole one waits here for its reader.
            network = self._current.network if self._current is not None else self._network
            self._large_answer = self._shared.answers.take(network, size, self._cut_off)
            if self._large_answer is None:
                self.end()
                return
        self._outlet.put(pieces, size)
        self._last = last
        self._pump()

    def end(self) -> None:
        """End the connection at once: the answer cannot be sent whole, and its client must see that."""
        self._transport.abort()

    def _cut_off(self) -> None:
        """End the connection of a slow reader, and have the kernel forget what it still holds for them."""
        kept = self._transport.get_extra_info("socket")
        with suppress(OSError):
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end()

    def _pump(self) -> None:
        freed, exchange = self._outlet.pump(), self._exchange
        if self._lingers and not self._outlet.waits:
            self._deadline = self._shared.now() + limits.LINGER_SECONDS
        if exchange is not None:
            exchange.freed(freed)
            if self._last and self._outlet.empty:
                self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        complete = self.body_complete
        if self._current is not None:
            self._current.release()
        if self._large_answer is not None:
            self._large_answer.release()
        self._current = self._exchange = self._large_answer = None
        if not exchange.persistent or self._shared.stopping or not complete:
            self._leave()
        elif self._ready:
            self._begin(self._ready.popleft())
        else:
            begun = self._incoming is not None
            self._deadline = self._shared.now() + (limits.HEAD_SECONDS if begun else limits.IDLE_SECONDS)
            self._occupy(idle=True)
            self._resume()

    def _refuse(self, code: str, status: int) -> None:
        """Say why, in the loop, and end the connection; an answer that is under way is lost with it."""
        if self._lost or self._lingers:
            return
        if self._exchange is not None:
            self.end()
            return
        self._transport.write(refusal(code, status))
        self._leave()

    def _leave(self) -> None:
        """End the connection once all is sent, and let a client that still sends read it (RFC 9112, section 9.6)."""
        self._lingers = True
        self._release()
        self._incoming = None
        self._deadline = self._shared.now() + limits.LINGER_SECONDS
        self._occupy(idle=True)
        self._resume()
        # The client may be gone already, and the loop not have heard of it.
        with suppress(OSError):
            self._transport.write_eof()

    def _release(self) -> None:
        for request in (self._incoming, self._current, *self._ready):
            if request is not None:
                request.release()
        self._ready.clear()

    # Time and room.

    def sweep(self, moment: float) -> None:
        """End what is over its deadline."""
        request = self._incoming
        if self._outlet.waits:
            if self._outlet.is_overdue(moment):
                self._cut_off()
        elif self._exchange is not None or moment <= self._deadline:
            return
        elif self._lingers or request is None:
            self.end()
        else:
            self._refuse("body_too_slow" if request.environ else "request_too_slow", 408)

    def end_if_idle(self) -> None:
        """For a process that stops."""
        if self._exchange is None and not self._outlet.waits:
            self.end()

    def _occupy(self, *, idle: bool) -> None:
        """Whether another connection may take the place of this one."""
        if self._place is not None:
            self._place.give_up = self.end if idle else None

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
