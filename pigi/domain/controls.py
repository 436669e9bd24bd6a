"""What a control is: something that keeps a promise, and a probe that would notice if it no longer did."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


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


class Outcome(StrEnum):
    """What a check found; the names are permanent."""

    HOLDING = "holding"
    FAILING = "failing"
    NOTHING = "nothing"
    """No check has come to a finding yet."""
    ATTESTED = "attested"
    WITHDRAWN = "withdrawn"
    """Nobody answers for it any more."""


class State(StrEnum):
    """How a control or a promise stands; the names are permanent."""

    HOLDING = "holding"
    """The last check is recent enough to count, and found it so."""
    FAILING = "failing"
    """The last check found otherwise. It stays so until one finds it mended."""
    STALE = "stale"
    """Nothing recent enough is known."""
    ATTESTED = "attested"
    """Somebody answers for it, for now."""


@dataclass(frozen=True)
class Finding:
    """What a probe found: whether it is as promised, and in a sentence what was looked at, with numbers.

    ``as_of`` is the moment of what was looked at, where that is earlier than the look, such as a deletion's: evidence
    ages from then on, however often somebody looks at it again.
    """

    holds: bool
    evidence: str
    as_of: datetime | None = None


GROUPS = (
    "records",
    "egress",
    "deployment",
    "rights",
    "usage",
    "contact",
    "keys",
    "money",
    "conduct",
    "browsing",
    "reaching",
    "rounds",
    "policy",
)
"""Controls that are checked together, each by a kind of job of its own: the modules of
`pigi.operations.promises.controls`."""
WORDS = "words"
"""The module there of what no probe can see: attested controls, which nothing checks."""
EVERY = timedelta(minutes=5)
"""How often probes run: a fault, its mending and staleness are all to show within 15 minutes."""
VALID = timedelta(minutes=12)
"""How long a finding counts; after that it is stale."""
SHOWS_WITHIN = timedelta(minutes=15)
"""Within this a fault shows, its mending, and that nobody looks: so what happened longer ago is evidence no more."""


@dataclass(frozen=True)
class Control:
    """One control of one promise.

    Attributes:
        name: permanent, in kebab case, such as ``columns-declared``.
        promise: its promise's ID.
        kind: how its probe comes to know.
        probe: ``package.module:function``, or the function: ``(application)`` to a `Finding`. If it raises, nothing
            was found, and what was found before goes stale. None for an attested control.
        shows: what a finding shows, in a sentence for everybody.
        does_not_show: what it leaves open, likewise.
        valid: how long a finding counts.
    """

    name: str
    promise: str
    kind: Evidence
    probe: str | Callable[[Any], Finding] | None
    shows: str
    does_not_show: str
    valid: timedelta = VALID

    def carry_out(self, application: Any) -> Finding:
        """What its probe finds now; raises whatever the probe raises, and ValueError for a control without one."""
        if self.probe is None:
            message = f"{self.name} is attested, not probed"
            raise ValueError(message)
        probe = pkgutil.resolve_name(self.probe) if isinstance(self.probe, str) else self.probe
        found: Finding = probe(application)
        return found
