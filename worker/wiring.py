"""Builds the gateways from the settings: the only importer of `pigi.gateways`. Each loads when first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.ports import TextModel
    from pigi.settings import Settings

DEVELOPMENT_KEY = "development"


class Wiring:
    """The outside world, as `pigi.ports.Gateways` asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def model(self) -> TextModel:
        """Anthropic; a base URL of one's own needs no real key."""
        from pigi.gateways.anthropic_model import AnthropicModel  # noqa: PLC0415 - a second of import

        settings = self._settings
        key = settings.anthropic_api_key or (DEVELOPMENT_KEY if settings.anthropic_base_url else "")
        return AnthropicModel(settings.anthropic_base_url or None, key, settings.anthropic_model)
