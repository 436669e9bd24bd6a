"""What Pigi asks of the outside world, as Protocols. `pigi.gateways` answers; operations receive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pigi.errors import Temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, repr=False)
class DraftRequest:
    """All that may leave for the model (P14): a fixed instruction, a name and a purpose.

    ``repr`` is off so that no traceback or log line can show the text.
    ``previous`` and ``findings`` are set in the repair turn only: the model's own first answer and the
    fixed sentences of the rules it broke.
    """

    instruction: str
    schema: Mapping[str, object]
    name: str
    purpose: str
    previous: str | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class DraftAnswer:
    """What the model said: ``text`` is the JSON as it came; tokens are the provider's own count."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    request_id: str


class TextModel(Protocol):
    """A model that writes one draft at a time."""

    def write_draft(self, request: DraftRequest, on_text: Callable[[str], None]) -> DraftAnswer:
        """Write a draft, calling ``on_text`` with each piece of text as it streams.

        An exception raised by ``on_text`` closes the stream and is raised unchanged: that is how a
        cancelled job stops.

        Raises:
            Temporary: ``provider_busy`` (429 and 529, with the provider's Retry-After if it gave a
                usable one), ``provider_unreachable``, ``provider_failed`` (5xx), ``stalled`` (no
                bytes within the read limit), ``stream_cut`` (the stream ended before its end event).
            Permanent: ``refused``, ``draft_too_long`` (max_tokens), ``provider_rejected`` (400, 413, 422),
                ``provider_unavailable`` (401, 402, 403, 404: an operator must act), ``malformed``.
        """
        ...


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


class Gateways(Protocol):
    """The outside world as a job's body sees it; each part is made on first use."""

    @property
    def model(self) -> TextModel:
        """The model that writes drafts."""
        ...

    @property
    def mailer(self) -> Mailer:
        """The mail server that takes Pigi's mail."""
        ...
