"""What people can stop of the processing of their data (GDPR articles 18 and 21), as data.

Every kind of job, every mail and every statistic says which use it is; `pigi.store.processing` is asked before each.
"""

from __future__ import annotations

from enum import StrEnum


class Use(StrEnum):
    """What data is used for, as far as people can stop it; the names are permanent."""

    SERVICE = "service"
    """What somebody asked for just now, what contract and law need, and what keeps accounts safe: never stopped."""
    GENERATION = "generation"
    STATISTICS = "statistics"
    NOTICES = "notices"
    """Mail that nobody would be harmed without, such as that a key ends soon."""


class Stop(StrEnum):
    """What a person asked to be stopped; the names are permanent."""

    RESTRICTION = "restriction"
    """Everything but storing it (article 18(2))."""
    OBJECTION_GENERATION = "objection:generation"
    OBJECTION_STATISTICS = "objection:statistics"


STOPS: dict[Stop, frozenset[Use]] = {
    Stop.RESTRICTION: frozenset({Use.GENERATION, Use.STATISTICS, Use.NOTICES}),
    Stop.OBJECTION_GENERATION: frozenset({Use.GENERATION}),
    Stop.OBJECTION_STATISTICS: frozenset({Use.STATISTICS}),
}
"""Which uses each stops."""
REASONS: dict[Stop, str] = {
    Stop.RESTRICTION: "processing_restricted",
    Stop.OBJECTION_GENERATION: "processing_objected",
    Stop.OBJECTION_STATISTICS: "processing_objected",
}
"""The code with which it is refused."""


def read_stops(text: str | None) -> frozenset[Stop]:
    """The stops of an account, as its row holds them: names parted by spaces, or nothing."""
    return frozenset(Stop(name) for name in (text or "").split())


def write_stops(stops: frozenset[Stop]) -> str | None:
    """As `read_stops` reads them."""
    return " ".join(sorted(stops)) or None


def why_stopped(stops: frozenset[Stop], use: Use) -> str | None:
    """The code of why a use is stopped; None if it is not."""
    return next((REASONS[stop] for stop in Stop if stop in stops and use in STOPS[stop]), None)
