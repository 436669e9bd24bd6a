"""Plans: what an organisation may use, and the limits that protect others."""

from __future__ import annotations

from pigi.operations.plans.entitlements import (
    UsageLimits,
    Use,
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
    use_of,
)

__all__ = [
    "UsageLimits",
    "Use",
    "check_members",
    "check_resources",
    "check_room",
    "check_usage",
    "count_today",
    "count_usage",
    "log_since",
    "plan_in",
    "plan_of",
    "refuse_until_tomorrow",
    "use_of",
]
