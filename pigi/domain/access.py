"""Who may do what: roles, the scopes of API keys, and one table of rules (promises P08 and P19).

`pigi.operations.access.authorisation.authorise` applies it; nothing else decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.domain.processing import Stop

CONFIRMED_FOR = timedelta(minutes=10)
"""How long a session counts as confirmed after its password was given once more."""


class Role(StrEnum):
    """What a member is in an organisation, the strongest first; names are permanent."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def rank(self) -> int:
        """3 for an owner, 1 for a member."""
        return len(Role) - list(Role).index(self)

    def covers(self, other: Role) -> bool:
        """Whether this role may do all that ``other`` may."""
        return self.rank >= other.rank


class Scope(StrEnum):
    """What an API key was made for; names are permanent."""

    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    GENERATIONS_WRITE = "generations:write"
    EXPORTS_WRITE = "exports:write"


class KeyFate(StrEnum):
    """What becomes of the API keys that somebody answers for, when they leave or may do less; names are permanent."""

    REVOKE = "revoke"
    HAND_OVER = "hand_over"
    """Another member answers for them from now on. Whoever copied one can go on using it until it is rotated."""


class OrganisationState(StrEnum):
    """Whether an organisation can be used; names are permanent. docs/state-machines.md draws it."""

    ACTIVE = "active"
    """In use. Left by an owner who deletes it."""
    DELETING = "deleting"
    """Closed to everybody but its owners, who may read and export it. Left by an owner who restores it or, after 7 days
    (`GRACE`), by its purge."""
    PURGING = "purging"
    """Being removed; its owners alone see how far that is. Left by its purge, with the row: within minutes, or once
    Stripe has removed the customer."""


class AccountState(StrEnum):
    """Whether somebody can sign in; names are permanent. docs/state-machines.md draws it."""

    ACTIVE = "active"
    """In use. Left by an operator who disables another operator, or by its owner who deletes it."""
    DISABLED = "disabled"
    """An operator's that may not sign in. Left by another operator who enables it."""
    DELETING = "deleting"
    """Deleted by its owner, who may sign in to restore it and do nothing else. Left by that, or after 7 days (`GRACE`)
    by its purge."""
    PURGING = "purging"
    """Being removed; nobody signs in any more. Left with the row."""


OPERATOR = "operator"
"""The kind of an operator's account."""
SIGNS_IN = (AccountState.ACTIVE, AccountState.DELETING)
"""The states in which an account can be signed in to, and its password reset."""


class Action(StrEnum):
    """Something that can be done in an organisation; every route of one names its action."""

    ORGANISATION_READ = "read the organisation"
    ORGANISATION_CHANGE = "change the organisation"
    ORGANISATION_DELETE = "delete the organisation"
    ORGANISATION_RESTORE = "restore the organisation"
    DELETION_READ = "follow the organisation's deletion"
    WORKSPACE_READ = "look around in the organisation"
    MEMBERS_READ = "read members"
    MEMBERS_CHANGE = "change members"
    MEMBERSHIP_END = "end a membership"
    INVITATIONS_READ = "read invitations"
    INVITATIONS_CHANGE = "change invitations"
    KEYS_READ = "read API keys"
    KEYS_CHANGE = "change API keys"
    AUDIT_READ = "read the audit log"
    MAIL_READ = "read the mail log"
    BILLING_READ = "see the plan and what is used of it"
    BILLING_CHANGE = "buy and change the plan"
    CONFIGURATION_READ = "read configuration"
    CONFIGURATION_WRITE = "write configuration"
    CONFIGURATION_DELETE = "delete archived configuration for good"
    GENERATE = "generate with AI"
    GENERATIONS_READ = "read generations"
    JOBS_READ = "read jobs"
    JOBS_CHANGE = "cancel and retry jobs"
    EXPORT = "export the organisation"
    IMPORT = "import into the organisation"


@dataclass(frozen=True)
class AccessRule:
    """The least role that may, and the scopes of which a key needs one; no scope means no key may.

    ``while_deleting`` says that owners may it also in an organisation that is being deleted, which they can read but
    not change; nobody may more there. ``without_factor`` says that members may it who lack the second factor that the
    organisation asks for.
    """

    role: Role
    scopes: frozenset[Scope] = frozenset()
    while_deleting: bool = False
    without_factor: bool = False


_READ, _WRITE, _GENERATE = Scope.CONFIGURATION_READ, Scope.CONFIGURATION_WRITE, Scope.GENERATIONS_WRITE

RULES: dict[Action, AccessRule] = {
    Action.ORGANISATION_READ: AccessRule(Role.MEMBER, frozenset(Scope), while_deleting=True),
    Action.ORGANISATION_CHANGE: AccessRule(Role.ADMIN),
    # Deleting too, so that whoever repeats it, having lost the answer, is answered as before.
    Action.ORGANISATION_DELETE: AccessRule(Role.OWNER, while_deleting=True),
    Action.ORGANISATION_RESTORE: AccessRule(Role.OWNER, while_deleting=True),
    Action.DELETION_READ: AccessRule(Role.OWNER, while_deleting=True),
    Action.WORKSPACE_READ: AccessRule(Role.MEMBER, while_deleting=True),
    Action.MEMBERS_READ: AccessRule(Role.MEMBER, while_deleting=True),
    Action.MEMBERS_CHANGE: AccessRule(Role.ADMIN),
    # Whoever is a member may leave; ending another's membership takes more (`pigi.operations.organisations`).
    Action.MEMBERSHIP_END: AccessRule(Role.MEMBER, without_factor=True),
    Action.INVITATIONS_READ: AccessRule(Role.ADMIN, while_deleting=True),
    Action.INVITATIONS_CHANGE: AccessRule(Role.ADMIN),
    # No key reaches people or keys: a leaked key must not be able to make itself a successor.
    Action.KEYS_READ: AccessRule(Role.ADMIN, while_deleting=True),
    Action.KEYS_CHANGE: AccessRule(Role.ADMIN),
    Action.AUDIT_READ: AccessRule(Role.ADMIN, while_deleting=True),
    Action.MAIL_READ: AccessRule(Role.ADMIN, while_deleting=True),
    # No key reaches money either: it lies in files and pipelines, and could sign up for what only people may agree to.
    Action.BILLING_READ: AccessRule(Role.MEMBER, while_deleting=True),
    Action.BILLING_CHANGE: AccessRule(Role.OWNER),
    Action.CONFIGURATION_READ: AccessRule(Role.MEMBER, frozenset({_READ, _WRITE}), while_deleting=True),
    Action.CONFIGURATION_WRITE: AccessRule(Role.MEMBER, frozenset({_WRITE})),
    # No key: one that leaked could take everything along into nothing.
    Action.CONFIGURATION_DELETE: AccessRule(Role.OWNER),
    Action.GENERATE: AccessRule(Role.MEMBER, frozenset({_GENERATE})),
    Action.GENERATIONS_READ: AccessRule(Role.MEMBER, frozenset({_READ, _GENERATE}), while_deleting=True),
    Action.JOBS_READ: AccessRule(Role.MEMBER, frozenset({_READ, _GENERATE}), while_deleting=True),
    Action.JOBS_CHANGE: AccessRule(Role.MEMBER, frozenset({_GENERATE})),
    # All of it in one file: more than a member is given to read page by page.
    Action.EXPORT: AccessRule(Role.ADMIN, frozenset({Scope.EXPORTS_WRITE}), while_deleting=True),
    Action.IMPORT: AccessRule(Role.MEMBER, frozenset({_WRITE})),
}


@dataclass(frozen=True)
class Person:
    """Somebody signed in; an operator is no member of anything.

    ``confirmed`` says that the password was given within `CONFIRMED_FOR`, as acts ask that cannot be taken back;
    ``deleting`` that they deleted their account and can do nothing but restore it; ``stops`` which uses of their data
    they stopped; ``factor`` that their sign-in takes a second factor, without which operators can do nothing but set
    one up; ``renewal_due`` that their rights changed since the session got its secret; ``csrf_hash`` checks its CSRF
    token, where that is not of this secret.
    """

    account_id: str
    session_id: str
    operator: bool = False
    confirmed: bool = False
    deleting: bool = False
    stops: frozenset[Stop] = frozenset()
    factor: bool = False
    renewal_due: bool = field(default=False, compare=False)
    csrf_hash: str | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The person as rows name them."""
        return f"{'operator' if self.operator else 'account'}:{self.account_id}"


@dataclass(frozen=True)
class Key:
    """An API key that was proved to be held."""

    key_id: str
    organisation_id: str
    scopes: frozenset[Scope]


@dataclass(frozen=True)
class Caller:
    """Who acts in which organisation, after `authorise` allowed it; ``confirmed`` and ``factor`` as `Person` has them.

    ``barred`` is set for a member who lacks the second factor that the organisation asks for, and may only leave.
    """

    organisation_id: str
    role: Role | None = None
    account_id: str | None = None
    key_id: str | None = None
    confirmed: bool = False
    factor: bool = False
    barred: bool = False

    @property
    def name(self) -> str:
        """The caller as rows name them."""
        return f"account:{self.account_id}" if self.account_id else f"api-key:{self.key_id}"


def is_found(state: str, role: Role, action: Action) -> bool:
    """Whether an organisation in this state is there at all for a member of this role who asks for ``action``.

    Of a purge owners see how far it is, as long as it lasts, and nothing else.
    """
    if state == OrganisationState.PURGING:
        return role is Role.OWNER and action is Action.DELETION_READ
    if state == OrganisationState.DELETING:
        return role is Role.OWNER and RULES[action].while_deleting
    return state == OrganisationState.ACTIVE


def role_may(role: Role, action: Action) -> bool:
    """Whether a member of this role may."""
    return role.covers(RULES[action].role)


def may_answer_for(role: Role | None, scopes: frozenset[Scope]) -> bool:
    """Whether a member of this role may do all that a key with these scopes does; nobody is left to, without a role."""
    return role is not None and all(role_may(role, action) for action in Action if key_may(scopes, action))


def key_may(scopes: frozenset[Scope], action: Action) -> bool:
    """Whether a key with these scopes may."""
    return bool(scopes & RULES[action].scopes)
