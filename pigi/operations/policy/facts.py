"""What a version is made of: this release's text, filled in from the settings, and what its code does with data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.policy import Policy, digest_of, fill_in, font_clauses, refuse_unfit, shipped_policy
from pigi.domain.privacy import Category
from pigi.domain.recipients import RECIPIENTS
from pigi.domain.retention import PERIODS
from pigi.privacy.activities import ACTIVITIES

if TYPE_CHECKING:
    from pigi.settings import Settings


def own_policy(settings: Settings) -> Policy:
    """This release's text with this installation's facts; raises PolicyError if it cannot be shown."""
    policy = fill_in(shipped_policy(), _blanks(settings))
    refuse_unfit(policy, purposes=[activity.name for activity in ACTIVITIES])
    return policy


def shipped_digest() -> str:
    """The digest of this release's text, its blanks left open: whatever the settings, a release has one."""
    return digest_of(shipped_policy())


def _blanks(settings: Settings) -> dict[str, str]:
    return {
        "operator": settings.operator,
        "privacy_address": settings.privacy_address,
        "support_address": settings.support_address,
        "security_address": settings.security_address,
        "public_url": settings.public_url.rstrip("/"),
        "region": settings.region or "no region is declared",
        "fonts": font_clauses()[settings.fonts],
    }


def code_facts() -> dict[str, dict[str, str]]:
    """What this release does with data, whatever its text says: who gets it, what for, which, and for how long."""
    return {
        "recipients": {
            key.value: f"{facts.gets}; {facts.why}; {facts.where}; {facts.keeps}" for key, facts in RECIPIENTS.items()
        },
        "purposes": {activity.name: activity.why for activity in ACTIVITIES},
        "categories": {category.value: "" for category in Category},
        "periods": {retention.value: period.words for retention, period in PERIODS.items()},
    }
