"""What is typed on a command line: how it is said back, and the types of days and moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SAID = 80


def said_back(text: str, longest: int = LONGEST_SAID) -> str:
    """What somebody typed as a message repeats it: on one line, not longer than is read, and seen if it is nothing."""
    flat = "".join(sign if sign.isprintable() else "?" for sign in text).strip()
    if not flat:
        return "“” (nothing was given)"
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


class _Moment(click.DateTime):
    """A day or a moment; what is none is refused in words rather than in a format's letters."""

    def __init__(self, formats: Sequence[str], wanted: str) -> None:
        super().__init__(formats)
        self._wanted = wanted

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{said_back(str(value))} is not {self._wanted}", param, ctx)


DAY = _Moment(["%Y-%m-%d"], "a day such as 2026-03-01")
MOMENT = _Moment(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"], "a moment such as 2026-03-01 or 2026-03-01T09:00:00Z")
