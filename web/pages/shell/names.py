"""Who a pseudonym in a row stands for, as far as whoever looks may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kind import hook
from pigi.jobs.kinds import kind_of
from pigi.operations.organisations import list_members
from web.pages.shell.words import id_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pigi.jobs.kind import Hook
    from pigi.jobs.model.view import JobView
    from web.http.context import OrganisationContext

OTHERS = {
    "account": "a former member",
    "former member": "a former member",
    "api-key": "an API key",
    "operator": "an operator",
    "invitation": "an invitation",
    "cli": "the command line",
    "pigi": "Pigi",
    "schedule": "Pigi",
    "stripe": "Stripe",
}


class Names:
    """Members by name; others by what they are."""

    def __init__(self, members: dict[str, str]) -> None:
        self._members = members

    def members(self) -> list[tuple[str, str]]:
        """Pseudonyms and names, by name."""
        return sorted(self._members.items(), key=lambda member: member[1].casefold())

    def of(self, pseudonym: str | None) -> str | None:
        """The name; None for what was erased."""
        if pseudonym is None:
            return None
        kind, _, rest = pseudonym.partition(":")
        known = self._members.get(pseudonym)
        if known or kind not in OTHERS:
            return known or pseudonym
        return f"{OTHERS[kind]} {id_end(rest)}" if kind in {"api-key", "invitation"} else OTHERS[kind]


def names_in(context: OrganisationContext) -> Names:
    """The names of an organisation's members."""
    members = list_members(context.application, context.caller)
    return Names({f"account:{member.account_id}": member.name for member in members})


def drafts_of(context: OrganisationContext, jobs: Iterable[JobView]) -> dict[str, tuple[str, str]]:
    """By a job's id: the kind of resource and the name of what it is about, where that is known and still there."""
    by_hook: dict[Hook, dict[str, str]] = {}
    for job in jobs:
        if job.subject_id and (names := kind_of(job.kind).subjects):
            by_hook.setdefault(names, {})[job.id] = job.subject_id
    found: dict[str, tuple[str, str]] = {}
    for names, about in by_hook.items():
        known = hook(names)(context.application, context.caller, set(about.values()))
        found |= {job_id: known[subject] for job_id, subject in about.items() if subject in known}
    return found
