"""The report of an import: what it would change, counted in full and listed in part, so that its size is bounded."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.resources import RESOURCES as KINDS
from pigi.operations.configuration import growth_of
from pigi.operations.plans import Growth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.operations.imports.entries import Judged

MOST_SHOWN: Final = 100
"""How many of each sort are listed."""
MOST_FLAWS: Final = 5
"""How many flaws of one entry are listed."""


@dataclass
class Listed:
    """A count, and the first of what was counted."""

    count: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **facts: Any) -> None:
        """Count one more."""
        self.count += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(facts)

    def told(self) -> dict[str, Any]:
        """As the report has it."""
        return {"count": self.count, "shown": self.shown}


@dataclass
class Report:
    """What was found in a file, and what would come of it."""

    found: Counter[str] = field(default_factory=Counter)
    created: Counter[str] = field(default_factory=Counter)
    same: int = 0
    projects: Listed = field(default_factory=Listed)
    conflicts: Listed = field(default_factory=Listed)
    refused: Listed = field(default_factory=Listed)
    ignored: Listed = field(default_factory=Listed)
    limits: list[dict[str, Any]] = field(default_factory=list)
    active: int = 0
    active_projects: int = 0
    storing: Growth = field(default_factory=Growth)

    def count_found(self, judged: Judged) -> None:
        """Count an entry of the file, and list it if it is refused."""
        what = "projects" if judged.entry.resource is None else "resources"
        self.found[what] += 1
        if judged.history is not None:
            self.found[judged.history.kind] += 1
            self.found["revisions"] += len(judged.history.revisions)
        if judged.code:
            flaws = [
                {**_told(flaw), "pointer": f"{judged.entry.pointer}{flaw['pointer']}"}
                for flaw in judged.flaws[:MOST_FLAWS]
            ]
            self.refused.add(pointer=judged.entry.pointer, code=judged.code, errors=flaws)

    def count_created(self, judged: Judged) -> None:
        """Count a resource that would be created."""
        history = judged.history
        if history is not None:
            self.created["resources"] += 1
            self.created[history.kind] += 1
            self.created["revisions"] += len(history.revisions)
            self.storing += growth_of(history)

    def told(self) -> dict[str, Any]:
        """The report as it is stored and shown."""
        return {
            "found": _counts(self.found),
            "created": {**_counts(self.created), "projects": self.created["projects"]},
            "same": self.same,
            "projects": self.projects.told(),
            "conflicts": self.conflicts.told(),
            "refused": self.refused.told(),
            "ignored": self.ignored.told(),
            "limits": self.limits,
            "active": {"projects": self.active_projects, "resources": self.active},
            "storing": asdict(self.storing),
        }


TOLD: Final = ("pointer", "message", "example")


def _told(flaw: Mapping[str, str | int]) -> dict[str, str | int]:
    """Of a flaw what a report lists; an example is named, so that the file can say that it is one."""
    return {name: flaw[name] for name in TOLD if name in flaw}


def _counts(counter: Counter[str]) -> dict[str, Any]:
    return {
        "projects": counter["projects"],
        "resources": counter["resources"],
        "revisions": counter["revisions"],
        "kinds": {kind: counter[kind] for kind in KINDS},
    }
