"""Builds the gateways from the settings, each when it is first used.

Nothing else constructs one; `worker.lifecycle` imports the slow ones before the fork, so that children share them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pigi.errors import Misconfigured, Permanent

if TYPE_CHECKING:
    from pigi.ports import KeyNews, Mailer, TextModel
    from pigi.ports.billing import BillingProvider
    from pigi.settings import Settings

DEVELOPMENT_KEY = "development"


class Wiring:
    """The outside world, as `pigi.ports.Gateways` asks for it; ``news`` hears how providers take their keys."""

    def __init__(self, settings: Settings, news: KeyNews | None = None) -> None:
        self._settings = settings
        self._news = news

    @cached_property
    def model(self) -> TextModel:
        """Anthropic; a base URL of one's own needs no real key. Raises Permanent ``provider_unconfigured``."""
        from pigi.gateways.anthropic_model import AnthropicModel  # noqa: PLC0415 - a second of import

        settings = self._settings
        key = settings.anthropic_api_key or (DEVELOPMENT_KEY if settings.anthropic_base_url else "")
        try:
            return AnthropicModel(settings.anthropic_base_url or None, key, settings.anthropic_model, news=self._news)
        except Misconfigured:
            raise Permanent("provider_unconfigured") from None

    @cached_property
    def mailer(self) -> Mailer:
        """The mail server of SMTP_URL; what is queued while none is named waits until one is."""
        from pigi.gateways.smtp_mailer import SmtpMailer, Trust  # noqa: PLC0415 - most workers send no mail

        settings = self._settings
        host = urlsplit(settings.public_url).hostname or settings.host
        trust = Trust(careful=settings.production, ca_file=settings.smtp_ca_file)
        return SmtpMailer(settings.smtp_url, settings.mail_from, host, trust)

    @cached_property
    def billing(self) -> BillingProvider:
        """Stripe; raises Misconfigured where STRIPE_API_KEY is not set."""
        from pigi.gateways.stripe_billing import StripeBilling  # noqa: PLC0415 - where nobody pays, nobody loads it

        settings = self._settings
        return StripeBilling(settings.stripe_api_base or None, settings.stripe_api_key, news=self._news)
