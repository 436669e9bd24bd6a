"""Every code that Pigi shows, with what happened and what to do next, written once; a module an area.

Codes are wire names: they never change and are never reused. Sentences may improve.
"""

from __future__ import annotations

from pigi.domain.reasons.backups import BACKUPS
from pigi.domain.reasons.billing import BILLING
from pigi.domain.reasons.configuration import CONFIGURATION
from pigi.domain.reasons.holds import HOLDS
from pigi.domain.reasons.imports import IMPORTS
from pigi.domain.reasons.jobs import JOBS
from pigi.domain.reasons.mail import MAIL
from pigi.domain.reasons.people import PEOPLE
from pigi.domain.reasons.provider import PROVIDER
from pigi.domain.reasons.reason import Reason
from pigi.domain.reasons.requests import REQUESTS
from pigi.domain.reasons.sign_in import REGISTER_AGAIN, SIGN_IN
from pigi.domain.reasons.stores import STORES

__all__ = ["REASONS", "REGISTER_AGAIN", "Reason", "explain"]

REASONS: dict[str, Reason] = {
    **JOBS,
    **STORES,
    **HOLDS,
    **BACKUPS,
    **PROVIDER,
    **MAIL,
    **BILLING,
    **REQUESTS,
    **SIGN_IN,
    **PEOPLE,
    **CONFIGURATION,
    **IMPORTS,
}


def explain(code: str) -> Reason:
    """The reason behind ``code``; an unknown code is a programming error and raises KeyError."""
    return REASONS[code]
