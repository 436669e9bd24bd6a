"""The SMTP server, which puts what it takes into an outbox and delivers nothing."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from standins.mail.outbox import KEPT, Outbox, OutboxPages

if TYPE_CHECKING:
    import asyncio
    import ssl
    from types import TracebackType
    from typing import Self


@dataclass(frozen=True)
class Guard:
    """What the server requires before it takes mail.

    ``tls`` makes STARTTLS available and required; with ``implicit`` there is TLS from the first byte.
    ``credentials`` are a user and a password; without them anybody's mail is taken.
    """

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    credentials: tuple[str, str] | None = None

    def options(self, authenticator: object) -> dict[str, Any]:
        """The same for aiosmtpd."""
        options: dict[str, Any] = {"ssl_context" if self.implicit else "tls_context": self.tls}
        options["require_starttls"] = self.tls is not None and not self.implicit
        if self.credentials is not None:
            # Of TLS from the first byte aiosmtpd does not know.
            options |= {"authenticator": authenticator, "auth_require_tls": options["require_starttls"]}
        return options


class MailSink:
    """The server and its outbox; a context manager that serves in threads.

    Args:
        host: where to listen; not reachable from outside by default.
        ports: those of SMTP and of the outbox's page; 0 takes a free one.
        guard: what is required of clients.
        kept: how many mails are kept.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        ports: tuple[int, int] = (0, 0),
        guard: Guard | None = None,
        kept: int = KEPT,
    ) -> None:
        # aiosmtpd writes commands into this log, and thus addresses.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self.outbox = Outbox(kept)
        self.pages = OutboxPages(self.outbox, host, ports[1])
        self.guard = guard or Guard()
        self._controller = _Controller(self, hostname=host, port=ports[0], **self.guard.options(self._knows))
        self.lines: set[Line] = set()
        self._stack = ExitStack()

    async def meet(self, stage: str, line: Line, recipient: str) -> str | None:
        """Called at each stage of a mail: ``greeting``, ``rcpt``, ``data``, ``body``, ``end``, ``taken``.

        What it returns is answered in place of going on; a test double replaces this.
        """

    def breaks_off(self, _line: Line) -> bool:
        """Whether `meet` ends this attempt in the middle of the text, at the stage ``body``."""
        return False

    def take(self, envelope: Envelope) -> None:
        """Keep a mail."""
        source = envelope.content or b""
        self.outbox.put(envelope.mail_from or "", envelope.rcpt_tos, source if isinstance(source, bytes) else b"")

    def _knows(self, _server: object, _session: object, _envelope: object, mechanism: str, data: object) -> AuthResult:
        given = (data.login, data.password) if isinstance(data, LoginPassword) else ()
        wanted = tuple(word.encode() for word in self.guard.credentials or ())
        return AuthResult(success=mechanism in {"LOGIN", "PLAIN"} and given == wanted, handled=False)

    @property
    def address(self) -> str:
        """Host and port of SMTP."""
        return f"{self._controller.hostname}:{self._controller.port}"

    @property
    def url(self) -> str:
        """The SMTP_URL to give to Pigi, when the guard requires nothing."""
        return f"smtp://{self.address}"

    def __enter__(self) -> Self:
        self._stack.enter_context(self.pages)
        self._controller.start()
        self._stack.callback(self._controller.stop)
        self._stack.callback(self._controller.loop.call_soon_threadsafe, self._hang_up)
        return self

    def _hang_up(self) -> None:
        for line in list(self.lines):
            line.hang_up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class Line(SMTP):
    """One connection."""

    def __init__(self, sink: MailSink, **options: Any) -> None:
        self.sink = sink
        super().__init__(_Hooks(sink), hostname="localhost", ident="pigi-standin", **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.sink.lines.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.lines.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).abort()

    async def _handle_client(self) -> None:
        status = await self.sink.meet("greeting", self, "")
        if status is not None:
            await self.push(status)
        await super()._handle_client()

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        recipients = self.envelope.rcpt_tos if self.envelope else []
        status = await self.sink.meet("data", self, recipients[0]) if recipients else None
        if status is not None:
            await self.push(status)
            return
        if recipients and self.sink.breaks_off(self):
            await self.push("354 Go on")
            await self._reader.readline()
            await self.sink.meet("body", self, recipients[0])
        await super().smtp_DATA(arg)


class _Hooks:
    """The hooks that aiosmtpd calls."""

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: Line, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if server.sink.guard.credentials is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: Line, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        status = await self._sink.meet("rcpt", server, address)
        if status is not None:
            return status
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Line, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        recipient = envelope.rcpt_tos[0]
        status = await self._sink.meet("end", server, recipient)
        if status is not None:
            return status
        self._sink.take(envelope)
        return await self._sink.meet("taken", server, recipient) or "250 OK"


class _Controller(Controller):
    """Serves in a thread; the port is known once it has started."""

    def __init__(self, sink: MailSink, **options: Any) -> None:
        super().__init__(None, **options)
        self._sink = sink

    def factory(self) -> Line:
        return Line(self._sink, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        cast("Any", super())._trigger_server()  # noqa: SLF001 - its own
