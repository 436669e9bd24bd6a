"""What a control is: something that keeps a promise, and a probe that would notice if it no longer did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Evidence(StrEnum):
    """How a probe comes to know; the names are permanent."""

    STATIC = "static"
    """By reading what this release is made of: columns, rules, texts."""
    SYNTHETIC = "synthetic"
    """By doing it, with data of Pigi's own, and looking at what came of it."""
    OBSERVED = "observed"
    """By looking at what this installation holds and did."""
    ATTESTED = "attested"
    """By the word of a role, for a time."""


@dataclass(frozen=True)
class Finding:
    """What a probe found: whether it is as promised, and in a sentence what was looked at, with numbers."""

    holds: bool
    evidence: str


EVERY = timedelta(minutes=5)
"""How often probes run: a fault, its mending and staleness are all to show within 15 minutes."""
VALID = timedelta(minutes=12)
"""How long a finding counts; after that it is stale."""


@dataclass(frozen=True)
class Control:
    """One control of one promise.

    Attributes:
        name: permanent, in kebab case, such as ``columns-declared``.
        promise: its promise's ID.
        kind: how its probe comes to know.
        probe: ``package.module:function``, or the function: ``(application)`` to a `Finding`. What it raises is a
            finding, too: that the probe could not be carried out, which is no evidence that the promise holds.
        shows: what a finding shows, in a sentence for everybody.
        does_not_show: what it leaves open, likewise.
    """

    name: str
    promise: str
    kind: Evidence
    probe: str | Callable[[Any], Finding]
    shows: str
    does_not_show: str
