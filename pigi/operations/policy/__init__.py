"""The privacy policy: its published versions, publishing another, and telling people of it."""

from __future__ import annotations

from pigi.operations.policy.comparing import SentenceDifference, differences
from pigi.operations.policy.facts import code_facts, own_policy
from pigi.operations.policy.notices import (
    ComingPolicy,
    NoticeCounts,
    announce_policy,
    close_notice,
    coming_policy,
    count_notices,
    late_notices,
)
from pigi.operations.policy.publishing import Proposal, Publication, publish_policy
from pigi.operations.policy.versions import PolicyHistory, PolicyVersionView, policy_history, unpublished_changes

__all__ = [
    "ComingPolicy",
    "NoticeCounts",
    "PolicyHistory",
    "PolicyVersionView",
    "Proposal",
    "Publication",
    "SentenceDifference",
    "announce_policy",
    "close_notice",
    "code_facts",
    "coming_policy",
    "count_notices",
    "differences",
    "late_notices",
    "own_policy",
    "policy_history",
    "publish_policy",
    "unpublished_changes",
]
