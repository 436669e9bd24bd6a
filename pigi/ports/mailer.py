"""The mail server, as operations see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pigi.errors import Temporary

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, repr=False)
class Letter:
    """A mail as it is to arrive; ``id`` names it for good, whenever it is sent. ``repr`` is off: it has an address."""

    id: str
    recipient: str
    subject: str
    text: str
    html: str


class MailUnconfirmed(Temporary):
    """The mail was handed over whole and no answer came: perhaps it was delivered."""

    def __init__(self) -> None:
        super().__init__("mail_unconfirmed")


class Mailer(Protocol):
    """A mail server that takes one letter at a time."""

    def send(self, letter: Letter, on_commit: Callable[[], None]) -> str | None:
        """Hand the letter over; returns the name under which the server queued it, if it gave one.

        ``on_commit`` is called once, right before the bytes that make the letter the server's. Whatever is
        raised before or by it is certain to have sent nothing; an exception of its own is raised unchanged.

        Raises:
            MailUnconfirmed: the server fell silent or hung up after that. Every other failure means: not sent.
            Temporary: ``mail_server_unreachable``, ``mail_server_busy`` (4xx, greylisting among them),
                ``mail_server_untrusted`` (no TLS, or a certificate that does not hold) and
                ``mail_server_refuses_us`` (an operator must act, and until then no mail may be lost).
            Permanent: ``mail_refused`` (5xx about this letter or its recipient), ``mail_malformed``.
        """
        ...
