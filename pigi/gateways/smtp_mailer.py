"""Mail through a server that speaks SMTP: one connection a letter, and one moment of doubt.

The doubt is between the end of the message and the server's answer to it. A server that is cut off before the
end must drop the message (RFC 5321, section 4.1.1.10), and after it answers for it (section 6.1).
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from smtplib import SMTPException
from typing import TYPE_CHECKING, Final

from pigi.clock import now
from pigi.errors import Misconfigured, Permanent, PigiError, Temporary
from pigi.gateways.smtp_line import Line, MailLimits, NotTaken, NotTrustedError, Privacy
from pigi.gateways.smtp_message import read_recipient, read_sender, write_message
from pigi.gateways.smtp_server import read_server
from pigi.ports import MailUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pigi.ports import Letter

# RFC 4954, section 6: who we are was asked for, or not believed, whatever the command was.
_CREDENTIALS: Final = frozenset({530, 534, 535, 538})
_BROKEN: Final = (OSError, SMTPException, ValueError)
"""What a connection fails with: the network, smtplib, and answers that cannot be read."""
_QUEUED_AS: Final = re.compile(r"\bas ([0-9A-Za-z-]{6,40})\s*$")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Trust:
    """How far a mail server is trusted.

    ``careful`` wants TLS of every server; without it TLS is taken where offered, and credentials still never leave
    the machine in the open. ``ca_file`` names authorities to trust instead of the system's. A server on this
    machine is spared TLS unless ``ca_file`` says by what to know it: local relays show certificates of nobody.
    """

    careful: bool = True
    ca_file: Path | None = None


class SmtpMailer:
    """`pigi.ports.Mailer` over SMTP_URL. One object serves any number of letters and threads."""

    def __init__(
        self, url: str, sender: str, host: str, trust: Trust | None = None, limits: MailLimits | None = None
    ) -> None:
        """``host`` is Pigi's public one, for Message-IDs and for how the client calls itself. Raises Misconfigured."""
        trust = trust or Trust()
        self._server = read_server(url)
        self._sender = read_sender(sender)
        self._host = host if _HOST.fullmatch(host) else f"[IPv6:{host}]"
        spared = self._server.is_local and trust.ca_file is None
        self._privacy = Privacy.SPARED if spared else Privacy.NEEDED if trust.careful else Privacy.WANTED
        self._context = _trusting(trust.ca_file)
        self._limits = limits or MailLimits()

    def send(self, letter: Letter, on_commit: Callable[[], None]) -> str | None:
        """Hand the letter over; see `pigi.ports.Mailer.send`.

        Errors are made, not wrapped: none has a cause or a context, whose words could quote the letter.
        """
        message = write_message(letter, self._sender, self._host, now())
        with Line(self._server, self._host, self._context, self._limits) as line:
            failure = self._offer(line, letter, message)
            if failure is None:
                on_commit()
                failure, reference = _hand_over(line)
        if failure is not None:
            raise failure from None
        return reference

    def _offer(self, line: Line, letter: Letter, message: bytes) -> PigiError | None:
        """Do all that can fail without doubt; what went wrong is returned, to be raised away from its cause."""
        try:
            line.open(self._privacy)
            recipient = read_recipient(letter.recipient).addr_spec
            if not recipient.isascii() and not line.takes_any_address():
                return Permanent("mail_refused")
            line.offer(self._sender.addr_spec, recipient, message)
        except NotTaken as refusal:
            return _refusal(refusal.code, about_us=refusal.about_us)
        except NotTrustedError:
            return Temporary("mail_server_untrusted")
        except _BROKEN:
            return Temporary("mail_server_unreachable")
        return None


def _hand_over(line: Line) -> tuple[PigiError | None, str | None]:
    try:
        code, words = line.hand_over()
    except _BROKEN:
        return MailUnconfirmed(), None
    line.say_goodbye()
    if 200 <= code < 300:  # noqa: PLR2004 - the class of good answers, RFC 5321, section 4.2.1
        found = _QUEUED_AS.search(words)
        return None, found.group(1) if found else None
    # A refusal in so many digits is certain; anything else is no answer.
    return (_refusal(code, about_us=False) if 400 <= code < 600 else MailUnconfirmed()), None  # noqa: PLR2004


def _refusal(code: int, *, about_us: bool) -> PigiError:
    """What a reply code means before any doubt (RFC 5321, section 4.2.1)."""
    if 400 <= code < 500:  # noqa: PLR2004 - transient
        return Temporary("mail_server_busy")
    if not 500 <= code < 600:  # noqa: PLR2004 - permanent; the rest is no answer to what was said
        return Temporary("mail_server_unreachable")
    # A wrong password or sender would fail every letter alike. It is mended by an operator, and none is lost till then.
    return Temporary("mail_server_refuses_us") if about_us or code in _CREDENTIALS else Permanent("mail_refused")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Misconfigured(["SMTP_CA_FILE must be a file of certificates in PEM form"]) from None
