"""What Pigi asks of the outside world, as Protocols. `pigi.gateways` answers; operations receive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pigi.ports.mailer import Letter, Mailer, MailUnconfirmed
from pigi.ports.text_model import DraftAnswer, DraftRequest, TextModel

if TYPE_CHECKING:
    from pigi.ports.billing import BillingProvider

__all__ = ["DraftAnswer", "DraftRequest", "Gateways", "KeyNews", "Letter", "MailUnconfirmed", "Mailer", "TextModel"]


class KeyNews(Protocol):
    """Who wants to know how a provider took a key; ``setting`` names the variable that holds it. Never raises."""

    def refused(self, setting: str, key: str) -> None:
        """The provider refused the key."""

    def accepted(self, setting: str, key: str) -> None:
        """The provider took the key: for the first time in this process, or again."""


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

    @property
    def billing(self) -> BillingProvider:
        """Where customers pay; raises Misconfigured where nobody is charged."""
        ...
