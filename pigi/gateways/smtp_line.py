"""One connection to a mail server (RFC 5321), up to the bytes that hand a message over.

It stands on smtplib, whose exceptions quote the server and thus perhaps an address: `NotTaken` holds numbers.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pigi.gateways.smtp_server import Server

_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True)
class MailLimits:
    """Seconds. RFC 5321, section 4.5.3.2, asks clients to wait two to ten minutes for each answer.

    It speaks of relays, which have nothing else to do. Here a worker's child waits, and until the end of the
    message giving up costs nothing but another connection: so ``answer`` is short. After the end it costs the
    knowledge whether the mail was taken, while the server may be scanning it: so ``verdict`` is long.
    ``overall`` ends what keeps each single limit, such as an answer that drips; the kind's time limit is above it.
    """

    connect: float = 10.0
    answer: float = 30.0
    verdict: float = 120.0
    overall: float = 240.0


class Privacy(Enum):
    """Whether STARTTLS must be offered, is taken if offered, or is not used."""

    NEEDED = auto()
    WANTED = auto()
    SPARED = auto()


class NotTaken(Exception):  # noqa: N818 - an outcome
    """The server said no, or something that is no SMTP; ``about_us`` when it would say so of every letter."""

    def __init__(self, code: int, *, about_us: bool) -> None:
        super().__init__(code)
        self.code = code
        self.about_us = about_us


class NotTrustedError(Exception):
    """The server cannot be spoken to in private, or is not the one it says it is."""


class Line:
    """A connection, as a context manager. Raises OSError when it breaks, and what its methods say."""

    def __init__(self, server: Server, name: str, context: ssl.SSLContext, limits: MailLimits) -> None:
        """``name`` is how this client calls itself; asking the machine would tell its name, and may ask a DNS."""
        self._server, self._context, self._limits = server, context, limits
        self._smtp = smtplib.SMTP(local_hostname=name)
        self._watch: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
        with suppress(OSError):
            self._smtp.close()

    def open(self, privacy: Privacy) -> None:
        """Connect, be greeted, encrypt and sign in.

        Raises:
            NotTaken: the server turned Pigi away.
            NotTrustedError: no TLS, or a certificate that does not hold.
        """
        limits, server = self._limits, self._server
        found = socket.create_connection((server.host, server.port), timeout=limits.connect)
        self._smtp.sock = found
        found.settimeout(limits.answer)
        # The end of a message is a packet of its own, and must not wait for the acknowledgement of the last.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch = threading.Timer(limits.overall, _hang_up, (found,))
        self._watch.daemon = True
        self._watch.start()
        if server.tls:
            self._encrypt()
        self._expect(self._smtp.getreply(), 220, about_us=True)
        self._expect(self._smtp.ehlo(), 250, about_us=True)
        if not server.tls and privacy is not Privacy.SPARED:
            self._start_tls(privacy)
        self._sign_in()

    def _start_tls(self, privacy: Privacy) -> None:
        if not self._smtp.has_extn("starttls"):
            if privacy is Privacy.NEEDED:
                raise NotTrustedError
            return
        self._expect(self._smtp.docmd("STARTTLS"), 220, about_us=True)
        self._encrypt()
        # RFC 3207, section 4.2: all that was said before is forgotten.
        self._expect(self._smtp.ehlo(), 250, about_us=True)

    def _encrypt(self) -> None:
        """Whatever a man in the middle put before the handshake goes with the buffer that is dropped here."""
        plain, self._smtp.file = self._smtp.sock, None
        assert plain is not None  # noqa: S101 - opened a moment ago
        try:
            encrypted = self._context.wrap_socket(plain, server_hostname=self._server.host)
        except (ssl.SSLError, ssl.CertificateError):
            raise NotTrustedError from None
        self._smtp.sock = encrypted
        if self._watch is not None:
            self._watch.args = (encrypted,)

    def _sign_in(self) -> None:
        if not self._server.user:
            return
        if not isinstance(self._smtp.sock, ssl.SSLSocket) and not self._server.is_local:
            raise NotTrustedError
        try:
            self._smtp.login(self._server.user, self._server.password)
        except smtplib.SMTPAuthenticationError as refusal:
            code = refusal.smtp_code
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException:
            code = 504  # RFC 4954: no mechanism that both know
        else:
            return
        raise NotTaken(code, about_us=True)

    def takes_any_address(self) -> bool:
        """Whether addresses beyond ASCII may be sent to (RFC 6531)."""
        return bool(self._smtp.has_extn("smtputf8"))

    def offer(self, sender: str, recipient: str, message: bytes) -> None:
        """Say from whom, to whom and what, but not that this was all. Raises NotTaken."""
        beyond_ascii = "" if recipient.isascii() else " SMTPUTF8 BODY=8BITMIME"
        self._smtp.command_encoding = "utf-8"
        self._expect(self._smtp.docmd("MAIL", f"FROM:<{sender}>{beyond_ascii}"), 250, 251, about_us=True)
        self._expect(self._smtp.docmd("RCPT", f"TO:<{recipient}>"), 250, 251, 252)
        self._expect(self._smtp.docmd("DATA"), 354)
        self._smtp.send(_LEADING_DOT.sub(b"..", message).removesuffix(b"\r\n"))
        if not self._is_silent():
            raise NotTaken(0, about_us=False)

    def _is_silent(self) -> bool:
        """Whether the server still listens: one that hung up or spoke too early has not taken the message."""
        found = self._smtp.sock
        assert found is not None  # noqa: S101 - spoken on a moment ago
        found.setblocking(False)
        try:
            found.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        finally:
            found.settimeout(self._limits.verdict)
        return False

    def hand_over(self) -> tuple[int, str]:
        """Say that this was all, which makes the message the server's; its answer."""
        self._smtp.send(b"\r\n.\r\n")
        code, words = self._smtp.getreply()
        return code, words.decode("ascii", "replace")

    def say_goodbye(self) -> None:
        """Politely, but without waiting: the letter is sent, and that is to be recorded now."""
        with suppress(OSError):
            self._smtp.send(b"QUIT\r\n")

    @staticmethod
    def _expect(answer: tuple[int, bytes], *wanted: int, about_us: bool = False) -> None:
        if answer[0] not in wanted:
            raise NotTaken(answer[0], about_us=about_us)


def _hang_up(found: socket.socket) -> None:
    """End all waiting on it. The plain socket's own method: TLS would want to say goodbye first."""
    with suppress(OSError):
        socket.socket.shutdown(found, socket.SHUT_RDWR)
