"""How the failures of the model's provider are taken: which pass, which cost something, which need an operator.

Codes of `pigi.domain.reasons`; which answer of the provider has which is the gateway's to say.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from pigi.domain.job_state import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PART: Final = "model provider"
"""The heartbeat that says how the provider took the last draft; its note is one of `OPERATORS` if it refused Pigi."""

OPERATORS: Final = frozenset({
    "provider_credit", "provider_model", "provider_quota", "provider_rejected", "provider_unavailable",
})  # fmt: skip
"""Refusals that nobody but whoever runs Pigi can mend, and that no other words of a purpose avoid."""

NOT_HAD: Final = OPERATORS | {"provider_busy", "provider_unreachable"}
"""Failures that say for certain that the model did no work."""

ANSWERED: Final = frozenset({"draft_too_long", "refused", "stopped_early"})
"""Failures of an answer that came: that the model did its work is known, whatever it is worth."""

_SPARING = partial(backoff, first=timedelta(seconds=2), factor=10, longest=timedelta(minutes=10))
PATIENCE: Final[Mapping[str, Callable[[int], timedelta]]] = {
    "provider_busy": backoff,
    "provider_unreachable": backoff,
    "provider_failed": _SPARING,
    "stalled": _SPARING,
    "stream_cut": _SPARING,
}
"""What passes, with its wait by the failures so far. What may have been paid for is tried a dozen times an hour at
most; what cost nothing, about once in two minutes."""
