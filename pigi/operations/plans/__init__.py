"""Plans: what an organisation may use, and the limits that protect others."""

from __future__ import annotations

from pigi.operations.plans.entitlements import (
    UsageLimits,
    check_members,
    check_resources,
    check_room,
    check_usage,
    count_today,
    count_usage,
    log_since,
    plan_in,
    plan_of,
    refuse_until_tomorrow,
)
from pigi.operations.plans.quotas import (
    Growth,
    Stored,
    check_storage,
    count_write,
    read_stored,
    recount,
    recount_due,
    sealed_length,
    total_weight,
    weight,
)
from pigi.operations.plans.use import Use, stored_of, use_of

__all__ = [
    "Growth",
    "Stored",
    "UsageLimits",
    "Use",
    "check_members",
    "check_resources",
    "check_room",
    "check_storage",
    "check_usage",
    "count_today",
    "count_usage",
    "count_write",
    "log_since",
    "plan_in",
    "plan_of",
    "read_stored",
    "recount",
    "recount_due",
    "refuse_until_tomorrow",
    "sealed_length",
    "stored_of",
    "total_weight",
    "use_of",
    "weight",
]
