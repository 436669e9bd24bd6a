"""Reads `expectations.txt`: for each route, what each sort of caller is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("expectations.txt")
OUTCOMES = frozenset({"ok", "in", "401", "403", "404"})


@dataclass(frozen=True)
class Row:
    """A route, perhaps in one of several ways to ask it (``DELETE /…#self``), and the outcome by caller."""

    method: str
    path: str
    way: str
    outcomes: dict[str, str]

    @property
    def route(self) -> str:
        """The route's method and path."""
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        """The row's own name."""
        return f"{self.route}#{self.way}" if self.way else self.route


def read(text: str | None = None) -> list[Row]:
    """The rows; raises ValueError for a line that is not one."""
    lines = [line for line in (text or TABLE.read_text()).splitlines() if line.strip() and not line.startswith("#")]
    callers = lines[0].split()[2:]
    return [_row(line, callers) for line in lines[1:]]


def _row(line: str, callers: list[str]) -> Row:
    method, path, *outcomes = line.split()
    if len(outcomes) != len(callers) or not OUTCOMES.issuperset(outcomes):
        raise ValueError(line)
    path, _, way = path.partition("#")
    return Row(method, path, way, dict(zip(callers, outcomes, strict=True)))
