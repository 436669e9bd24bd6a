"""Plans: what an organisation may use, and which of Stripe's prices buys which plan.

Exporting and deleting are limits of no plan. An installation that charges nobody has one plan, which bounds nothing but
what is stored and how often it is written; and so have the organisations that an operator makes for the installation
itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pigi.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.settings import Settings


class Limit(StrEnum):
    """What a plan limits; the names are permanent, and are those of PIGI_PLANS."""

    MEMBERS = "members"
    """Members and open invitations together."""
    RESOURCES = "resources"
    """Active resources of all projects together."""
    GENERATIONS = "generations_a_day"
    """Drafts requested in a day (UTC)."""
    LOG_DAYS = "log_days"
    """How many days back the audit log is shown."""
    BYTES = "bytes"
    """Stored configuration, archived or not, with all its revisions (`pigi.operations.plans.quotas`)."""
    WRITES = "writes_a_day"
    """Changes of configuration in a day (UTC): each revision, project, archiving and return counts one."""


@dataclass(frozen=True)
class Plan:
    """``limits`` are whole numbers; what is not among them has no limit. ``rank`` orders plans, the best highest."""

    name: str
    title: str
    rank: int
    limits: Mapping[Limit, int]

    def most(self, limit: Limit) -> int | None:
        """How much of it; None for no limit."""
        return self.limits.get(limit)


def _plan(name: str, rank: int, *limits: int) -> Plan:
    return Plan(name, name.capitalize(), rank, dict(zip(Limit, limits, strict=False)))


FREE = "free"
MB = 1024 * 1024
GB = 1024 * MB
UNMETERED = Plan("unmetered", "Unmetered", 99, {Limit.BYTES: 50 * GB, Limit.WRITES: 1_000_000})
"""For whoever is not charged. Its two limits protect the machine: a key that leaked could fill any disk."""
PLANS: tuple[Plan, ...] = (
    _plan(FREE, 0, 5, 100, 50, 30, 100 * MB, 5_000),
    _plan("team", 1, 50, 2_000, 500, 365, 2 * GB, 50_000),
    _plan("business", 2, 500, 20_000, 5_000, 730, 20 * GB, 500_000),
)
"""What each plan allows unless PIGI_PLANS says otherwise, in the order of `Limit`."""

MOST = 1_000_000_000
MOST_BYTES = 1024 * 1024 * GB
_PRICE = re.compile(r"[A-Za-z0-9_]{1,80}")


@dataclass(frozen=True)
class Plans:
    """The installation's plans by name, and the plan that each price buys. Without prices nobody is charged."""

    by_name: Mapping[str, Plan]
    by_price: Mapping[str, str]
    unmetered: Plan = UNMETERED

    @property
    def charged(self) -> bool:
        """Whether there is anything to buy."""
        return bool(self.by_price)

    @property
    def usual(self) -> Plan:
        """What an organisation has that has bought nothing."""
        return self.by_name[FREE] if self.charged else self.unmetered

    @property
    def offered(self) -> list[tuple[Plan, list[str]]]:
        """Each plan that can be bought, the least first, with its prices in the order of STRIPE_PRICES."""
        found = sorted((self.by_name[name] for name in set(self.by_price.values())), key=lambda plan: plan.rank)
        return [(plan, [price for price, name in self.by_price.items() if name == plan.name]) for plan in found]

    def named(self, name: str | None) -> Plan:
        """The plan of that name; the usual one for None, and for a name that the installation no longer has."""
        if name == UNMETERED.name:
            return self.unmetered
        return self.by_name.get(name or "", self.usual)

    @classmethod
    def from_settings(cls, settings: Settings) -> Plans:
        """Read PIGI_PLANS and STRIPE_PRICES; raises Misconfigured naming what is wrong."""
        by_name = {plan.name: plan for plan in (*PLANS, UNMETERED)}
        for name, limits in _read_limits(settings.plans).items():
            if name not in by_name:
                raise Misconfigured([f"PIGI_PLANS: there is no plan {name!r}; there are {', '.join(by_name)}"])
            by_name[name] = replace(by_name[name], limits={**by_name[name].limits, **limits})
        unmetered = by_name.pop(UNMETERED.name)
        return cls(by_name, _read_prices(settings.stripe_prices, by_name), unmetered)

    def __hash__(self) -> int:
        return id(self)


def _read_limits(text: str) -> dict[str, dict[Limit, int]]:
    try:
        found = json.loads(text or "{}")
        named = [(plan, name, most) for plan, limits in found.items() for name, most in limits.items()]
    except (ValueError, AttributeError):
        example = '{"free": {"members": 3, "log_days": 30}}'
        raise Misconfigured([f"PIGI_PLANS must be JSON such as {example}"]) from None
    problems = [problem for plan, name, most in named if (problem := _flaw(plan, name, most))]
    if problems:
        raise Misconfigured(problems)
    return {plan: {Limit(name): most for name, most in limits.items()} for plan, limits in found.items()}


def _flaw(plan: str, name: str, most: Any) -> str | None:
    if name not in set(Limit):
        return f"PIGI_PLANS: {plan} has no limit {name!r}; there are {', '.join(Limit)}"
    highest = MOST_BYTES if name == Limit.BYTES else MOST
    if type(most) is not int or not 0 <= most <= highest:
        return f"PIGI_PLANS: {name} of {plan} must be a whole number from 0 to {highest:,}"
    return None


def _read_prices(text: str, plans: Mapping[str, Plan]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in filter(None, re.split(r"[,\s]+", text)):
        price, _, name = entry.partition("=")
        if not _PRICE.fullmatch(price) or name not in plans or name == FREE or price in found:
            known = ", ".join(plan for plan in plans if plan != FREE)
            raise Misconfigured([f"STRIPE_PRICES must be PRICE=PLAN entries parted by commas; plans are {known}"])
        found[price] = name
    return found
