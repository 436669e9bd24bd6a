"""API keys that are about to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import WARN_OF_KEYS
from pigi.operations import key_expiry
from tasks.runtime import job

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


@job(WARN_OF_KEYS)
def warn_of_ends(context: JobContext, hands: Hands) -> None:
    """Mail those who can rotate the keys that end soon."""
    key_expiry.warn_of_ends(context, hands.application)
