"""What the mail sink took: the last mails, in memory alone, ready to be read by people and tests."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

KEPT: Final = 200
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, repr=False)
class Parcel:
    """A mail as it arrived; ``number`` counts from 1 and names it in the outbox."""

    number: int
    at: str
    sender: str
    recipients: tuple[str, ...]
    source: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return email.message_from_bytes(self.source, policy=email.policy.default)

    def part(self, kind: str) -> str:
        """The text of the part ``plain`` or ``html``; empty if there is none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""

    @property
    def links(self) -> list[str]:
        """The links of the text part, in order."""
        return [found.rstrip(".,)") for found in _LINK.findall(self.part("plain"))]

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    def as_json(self) -> dict[str, Any]:
        """All that a test may want to know of it."""
        told = {name: value for name, value in asdict(self).items() if name != "source"}
        more = {"subject": self.subject, "message_id": str(self.message["Message-ID"] or ""), "links": self.links}
        return {**told, **more, "text": self.part("plain"), "html": self.part("html")}


class Outbox:
    """The last mails, newest last; safe to use from many threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._parcels: deque[Parcel] = deque(maxlen=kept)
        self._count = 0
        self._lock = threading.Lock()

    def put(self, sender: str, recipients: Sequence[str], source: bytes) -> None:
        """Keep a mail, and forget the oldest if there are too many."""
        with self._lock:
            self._count += 1
            at = datetime.now(UTC).isoformat(timespec="seconds")
            self._parcels.append(Parcel(self._count, at, sender, tuple(recipients), source))

    def parcels(self, to: str | None = None) -> list[Parcel]:
        """Those to one recipient, or all; the newest last."""
        with self._lock:
            found = list(self._parcels)
        wanted = None if to is None else to.casefold()
        return [parcel for parcel in found if wanted is None or wanted in map(str.casefold, parcel.recipients)]

    def parcel(self, number: int) -> Parcel | None:
        """The mail of that number, if it is still kept."""
        return next((parcel for parcel in self.parcels() if parcel.number == number), None)
