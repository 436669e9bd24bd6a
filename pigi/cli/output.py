"""Output of commands: calm lines of at most 80 columns, colour only on a terminal, or JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def say(text: str = "") -> None:
    """Write a line now: whoever follows a log file should see it without delay."""
    click.echo(text, color=colourful())
    sys.stdout.flush()


def answer(as_json: bool, data: Any, text: str) -> None:  # noqa: FBT001 - the option's value, handed on
    """Say ``data`` as one JSON document, or ``text``."""
    say(json.dumps(data, default=_plain, ensure_ascii=False, indent=2) if as_json else text)


def colourful() -> bool:
    """Whether colour is welcome: a terminal, and no NO_COLOR (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    """For what the reader looks for."""
    return click.style(text, bold=True)


def dim(text: str) -> str:
    """For what the reader may skip."""
    return click.style(text, dim=True)


def green(text: str) -> str:
    """For what went well."""
    return click.style(text, fg="green")


def red(text: str) -> str:
    """For what did not."""
    return click.style(text, fg="red")


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows in aligned columns, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def moment(at: datetime | None) -> str:
    """A moment in UTC to the second; a dash for none."""
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else "-"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
