"""Dear acts: those that change who may what, or take data along or away, listed once by the kind of their audit entry.

`pigi.operations.audit.record` reads this table in the transaction that makes the change. So an act that is entered into
the audit chain cannot forget to ask for a confirmed session, nor to tell whom it concerns; what is not entered there is
found by the tests that walk the routes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Role
from pigi.domain.mail import Template
from pigi.domain.resources.rules import RULES, level_of

if TYPE_CHECKING:
    from typing import Final

GATHERED: Final = timedelta(hours=1)
"""The least time between two mails to somebody about the dear acts in one place; what is done meanwhile comes in the
second."""
NAMED: Final = 12
"""How many acts such a mail names; of the others it says how many they are."""

Details = Mapping[str, Any]


class Audience(StrEnum):
    """Whom an act is told to."""

    OWNERS = "all owners of the organisation, and whoever was or becomes one by it"
    WHOSE = "whoever the data belongs to: the owners of the organisation, or the person"
    ACCOUNT = "whoever has the account"
    OPERATORS = "all operators"


@dataclass(frozen=True)
class DearAct:
    """What is dear about an act.

    Attributes:
        words: what was done, after the name of who did it; ``{whom}`` is an account, ``{key}`` an API key's label,
            ``{roles}`` the role before and after, ``{rule}`` a rule, ``{data}`` what an operator reads.
        audience: whom it is told to.
        undo: what somebody does for whom it is not right.
        path: where; ``{organisation}`` is its id.
        unasked: why no confirmed session is needed for it; empty where one is.
        letter: the mail of its own that tells it; None if the mail about dear acts does.
        which: which acts of the kind are dear, by the details of their entries.
    """

    words: str
    audience: Audience
    undo: str
    path: str
    unasked: str = ""
    letter: Template | None = None
    which: Callable[[Details], bool] = lambda _details: True


def _of_owner(details: Details) -> bool:
    return Role.OWNER in {details.get("role"), details.get("was")}


def _invited_owner(details: Details) -> bool:
    """Whoever makes an organisation owns it without an invitation."""
    return details.get("role") == Role.OWNER and details.get("invitation") is not None


def loosens(rule: str, before: str, choice: str) -> bool:
    """Whether this choice lets something through that the one before refused; either may be ``default``."""
    was, becomes = (level_of(rule, {} if one == "default" else {rule: one}) for one in (before, choice))  # type: ignore[dict-item]
    return (was, becomes) == ("error", "warning")


def _loosening(details: Details) -> bool:
    rule = str(details["rule"])
    return rule in RULES and loosens(rule, str(details.get("before", "default")), str(details["choice"]))


_OWNERS, _WHOSE, _ACCOUNT, _OPERATORS = Audience
_KEYS, _MEMBERS, _SETTINGS = "/o/{organisation}/api-keys", "/o/{organisation}/members", "/o/{organisation}/settings"
_DELETION, _FACTOR, _CONTACT = "/o/{organisation}/deletion", "/account/second-factor", "/contact"
_IMPORTS = "/o/{organisation}/imports"
_ASK = "ask whoever runs Pigi"
_ENDED_KEY = "revoke the key, which ends it at once"
_ROLE = "give them another role, or end their membership"
_BY_PASSWORD = "the request holds the password"  # noqa: S105 - a reason
_BY_LINK = "the mailed link is the proof"
_ON_MACHINE = "it is done on the installation's machine alone"

DEAR_ACTS: dict[str, DearAct] = {
    "key.issued": DearAct("made the API key {key}", _OWNERS, _ENDED_KEY, _KEYS),
    "key.rotated": DearAct("rotated the API key {key}", _OWNERS, _ENDED_KEY, _KEYS),
    "member.role_changed": DearAct("changed the role of {whom} {roles}", _OWNERS, _ROLE, _MEMBERS, which=_of_owner),
    "member.removed": DearAct(
        "ended the membership of the owner {whom}", _OWNERS, "invite them again", _MEMBERS, which=_of_owner
    ),
    "member.left": DearAct("left, and was an owner", _OWNERS, "invite them again", _MEMBERS, which=_of_owner),
    "member.joined": DearAct("accepted an invitation as an owner", _OWNERS, _ROLE, _MEMBERS, which=_invited_owner),
    "invitation.made": DearAct(
        "invited somebody as an owner", _OWNERS, "revoke the invitation", _MEMBERS, which=_of_owner
    ),
    "organisation.second_factor_optional": DearAct(
        "let members in without a second factor", _OWNERS, "ask for it again", _SETTINGS
    ),
    "rule.chosen": DearAct(
        "had Pigi warn of what it refused before {rule}", _OWNERS, "choose that it is refused",
        f"{_SETTINGS}/rules", which=_loosening,
    ),
    "organisation.deletion_started": DearAct(
        "deleted the organisation", _OWNERS, "restore it", _DELETION, letter=Template.DELETION_STARTED
    ),
    "resource.deleted": DearAct("deleted an archived resource for good", _OWNERS, "import it from an export", _IMPORTS),
    "project.deleted": DearAct("deleted an archived project for good", _OWNERS, "import it from an export", _IMPORTS),
    "organisation.restored": DearAct("restored the organisation", _OWNERS, "delete it again", _SETTINGS),
    "factor.turned_off": DearAct(
        "turned the second factor off", _ACCOUNT, "turn it on", _FACTOR, letter=Template.SECOND_FACTOR_OFF
    ),
    "factor.recovery_codes_renewed": DearAct("made new recovery codes", _ACCOUNT, "make others", _FACTOR),
    "factor.reset": DearAct(
        "took the second factor off", _ACCOUNT, "turn it on", _FACTOR, _ON_MACHINE, Template.SECOND_FACTOR_OFF
    ),
    "account.password_changed": DearAct(
        "changed the password", _ACCOUNT, "choose another", "/forgot-password", _BY_PASSWORD, Template.PASSWORD_CHANGED
    ),
    "account.password_reset": DearAct(
        "chose a new password", _ACCOUNT, "choose another", "/forgot-password", _BY_LINK, Template.PASSWORD_CHANGED
    ),
    "account.address_changed": DearAct(
        "changed the address", _ACCOUNT, _ASK, _CONTACT, _BY_LINK, Template.ADDRESS_CHANGED
    ),
    "account.address_undone": DearAct(
        "took the address back", _ACCOUNT, _ASK, _CONTACT, _BY_LINK, Template.PASSWORD_RESET
    ),
    "account.deletion_started": DearAct(
        "deleted the account", _ACCOUNT, "restore it", "/account", _BY_PASSWORD, Template.ACCOUNT_DELETION_STARTED
    ),
    "account.restored": DearAct(
        "restored the account", _ACCOUNT, "delete it again", "/account",
        "every session since the deletion began with the password, and nothing is lost by it",
    ),
    "operator.export_started": DearAct("started an export of {data}", _WHOSE, _ASK, _CONTACT),
    "operator.export_copied": DearAct("took a copy of {data}", _WHOSE, _ASK, _CONTACT, _ON_MACHINE),
    # Followed by the entry of the deletion itself, whose letter tells it.
    "operator.deletion_started": DearAct(
        "started a deletion", _WHOSE, _ASK, _CONTACT, _ON_MACHINE, Template.DELETION_STARTED
    ),
    "operator.added": DearAct(
        "made {whom} an operator", _OPERATORS, "disable them (pigi operators disable)", "/operate", _ON_MACHINE
    ),
    "operator.enabled": DearAct(
        "let the operator {whom} sign in again", _OPERATORS, "disable them (pigi operators disable)", "/operate",
        _ON_MACHINE,
    ),
}  # fmt: skip

_READS = "it changes nobody's rights and takes nothing away"
_LESS = "it only takes rights or reach away, and can be done anew"
_MACHINERY = "it is about the installation, and reads nobody's data"
_STATED = "a second operator agrees, or it only lets go on what everybody was promised"
_OWN_REQUEST = "a person's own request, which its answer ends"

NOT_DEAR: dict[str, str] = {
    **dict.fromkeys(("account.registered", "organisation.created"), "it is new, and nobody's but its maker's"),
    "account.purged": "it ends a deletion that was told, and the receipt tells it",
    "organisation.purged": "it ends a deletion that was told, and the receipt tells it",
    **dict.fromkeys(("session.signed_in", "session.confirmed"), "it is the proof itself"),
    "session.failed": "nobody got in by it, and mails about it would let anybody send them",
    **dict.fromkeys(
        (
            "session.signed_out",
            "session.signed_out_everywhere",
            "session.ended",
            "session.others_ended",
            "invitation.revoked",
            "key.revoked",
            "operator.disabled",
        ),
        _LESS,
    ),
    "account.address_change_asked": "nothing changes before the new address is confirmed, and the old one is mailed",
    "factor.turned_on": "it makes the account safer, and is mailed",
    "factor.recovery_code_used": "the code is the proof, and it is mailed",
    "organisation.second_factor_required": "it makes the organisation safer",
    **dict.fromkeys(
        ("project.archived", "project.unarchived", "resource.archived", "resource.unarchived"),
        "daily work: nothing is lost by it, and everybody there can undo it",
    ),
    "organisation.renamed": "it changes nobody's rights, and can be changed back",
    "key.handed_over": "part of another act, of which owners are mailed (keys-settled)",
    "export.requested": "whoever may read it all, key or person, gets it in one file, as P28 promises; it is logged",
    **dict.fromkeys(("operator.job_cancelled", "operator.job_retried"), _READS),
    **dict.fromkeys(
        (
            "keyring.rotation_requested",
            "datakey.renewed",
            "backup.made",
            "backup.restored",
            "backup.restored_without_erasures",
            "promise.attested",
            "promise.attestation_withdrawn",
            "policy.published",
            "audit.content_erased",
        ),
        _MACHINERY,
    ),
    "plan.granted": "it gives the organisation more and costs it nothing",
    **dict.fromkeys(("hold.added", "hold.approved", "hold.released"), _STATED),
    **dict.fromkeys(
        ("request.made", "request.withdrawn", "request.entered", "request.extended", "request.answered"), _OWN_REQUEST
    ),
    **dict.fromkeys(("ticket.answered", "ticket.closed"), "whoever wrote is told by it"),
}
"""Every other kind of act, and why it is not dear."""


def dear_act(kind: str, details: Details) -> DearAct | None:
    """What is dear about an act of this kind with these details; None if nothing is."""
    found = DEAR_ACTS.get(kind)
    return found if found is not None and found.which(details) else None
