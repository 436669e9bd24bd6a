"""Chance in tests: the same in every run, so that one that fails fails again, and for whoever changed something.

`make test ARGS="--hypothesis-profile=search …"` looks further: other examples and seeds each time, and twenty times as
many. What it finds is kept in `.hypothesis` until it passes.
"""

from __future__ import annotations

import random
from typing import Final

from hypothesis import HealthCheck, settings

SAME: Final = "same"
SEARCH: Final = "search"
FURTHER: Final = 20
"""How many times as many examples a search makes."""
_HUNDRED: Final = 100

# A busy machine is slow, which says nothing about the example that it met meanwhile.
settings.register_profile(
    SAME,
    settings.get_profile("default"),
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    max_examples=_HUNDRED,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    SEARCH,
    settings.get_profile("default"),
    deadline=None,
    print_blob=True,
    max_examples=_HUNDRED * FURTHER,
    suppress_health_check=[HealthCheck.too_slow],
)


def searching() -> bool:
    """Whether this run looks for what others have not met."""
    return settings.get_current_profile_name().startswith(SEARCH)


def many(usual: int) -> int:
    """How many examples a test makes that makes ``usual`` of them in every run."""
    return usual * FURTHER if searching() else usual


def a_seed(usual: int) -> int:
    """What a test of random events starts from; it tells it to whoever sees it fail."""
    return random.SystemRandom().randrange(10_000) if searching() else usual
