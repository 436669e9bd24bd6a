"""Doing what the daily and hourly jobs do, without their engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.audit import anchor_daily

if TYPE_CHECKING:
    from pigi.application import Application


class Unhurried:
    """A job's context that never stops."""

    def checkpoint(self) -> None:
        """Go on."""

    def progress(self, done: int, total: int, note: str) -> None:
        """Tell nobody."""


def anchor(application: Application) -> None:
    """Sign the head as the daily job does."""
    anchor_daily(Unhurried(), application)  # type: ignore[arg-type]
