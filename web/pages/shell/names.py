"""Who a pseudonym in a row stands for, as far as whoever looks may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action, role_may
from pigi.jobs.kind import hook
from pigi.jobs.kinds import kind_of
from pigi.operations.api_keys import list_keys
from pigi.operations.organisations import member_names
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
    """Members by name, keys by their label, others by what they are."""

    def __init__(self, members: dict[str, str], others: dict[str, str] | None = None) -> None:
        self._members = members
        self._known = members | (others or {})

    def members(self) -> list[tuple[str, str]]:
        """Pseudonyms and names, by name."""
        return sorted(self._members.items(), key=lambda member: member[1].casefold())

    def of(self, pseudonym: str | None) -> str | None:
        """The name; None for what was erased."""
        if pseudonym is None:
            return None
        kind, _, rest = pseudonym.partition(":")
        known = self._known.get(pseudonym)
        if known or kind not in OTHERS:
            return known or pseudonym
        return f"{OTHERS[kind]} {id_end(rest)}" if kind in {"api-key", "invitation"} else OTHERS[kind]


def names_in(context: OrganisationContext) -> Names:
    """The names of an organisation's members, and the labels of its keys for those who may see them."""
    application, caller = context.application, context.caller
    members = {f"account:{account}": name for account, name in member_names(application, caller).items()}
    may = caller.role is not None and role_may(caller.role, Action.KEYS_READ)
    keys = list_keys(application, caller) if may else []
    return Names(members, {f"api-key:{key.id}": f"{key.label} (API key)" for key in keys})


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
