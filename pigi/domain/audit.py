"""The audit chain's rules: which acts there are, what may be kept of each, and how entries are hashed.

    commitment = H(salt, where, actor, subject, details)
    entry_hash = H(previous entry's hash, seq, time, kind, commitment)

Each entry fixes all that came before it. What it is about stands apart with its salt, so that both can be
erased: the chain still verifies, and nobody can find out any more what the commitment was made of.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Role, Scope
from pigi.domain.limits import is_line
from pigi.domain.policy import Change
from pigi.domain.privacy_requests import Right
from pigi.domain.resources.rules import CHOICES, RULES
from pigi.domain.retention import Retention
from pigi.ids import is_id

if TYPE_CHECKING:
    from datetime import datetime

BEGINNING = "0" * 64
"""Stands for the hash before the first entry."""
SALT_BYTES = 32
"""As many as the hash has: a salt that could be searched would let a guess be confirmed."""
ACTOR = re.compile(r"(account|operator|api-key):[0-9a-f-]{36}|operator:cli|pigi")
SUBJECT = re.compile(
    r"(account|operator|api-key|organisation|invitation|session|job|mail|project|resource|deletion|request|ticket):[0-9a-f-]{36}"
)

CONTROL = re.compile(r"[a-z][a-z-]{0,79}")
DAY = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]")

PLAN_LENGTH = 40
REASON_LENGTH = 300

Check = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and DAY.fullmatch(value) is not None


def _is_scopes(value: Any) -> bool:
    return isinstance(value, str) and set(value.split()) <= set(Scope)


_FIELDS: dict[str, Check] = {
    **dict.fromkeys(
        ("invitation", "key", "replaces", "job", "export", "backup", "hold", "project"), lambda value: is_id(str(value))
    ),
    **dict.fromkeys(("role", "was"), lambda value: value in set(Role)),
    **dict.fromkeys(("days", "count"), _is_number),
    "retention": lambda value: value in set(Retention),
    "right": lambda value: value in set(Right),
    "scopes": _is_scopes,
    "reason": lambda value: isinstance(value, str) and is_line(value, REASON_LENGTH),
    "control": lambda value: isinstance(value, str) and CONTROL.fullmatch(value) is not None,
    "version": _is_number,
    "day": _is_day,
    "change": lambda value: value in set(Change),
    "rule": lambda value: value in RULES,
    **dict.fromkeys(("choice", "before"), lambda value: value in {*CHOICES, "default"}),
    "plan": lambda value: isinstance(value, str) and value.isalpha() and len(value) <= PLAN_LENGTH,
}
"""What a field of the details may hold: identifiers of things, words of Pigi's own, counts, days. Never a person's id,
which belongs in actor or subject, where erasure finds it; never what anybody wrote, but for the reason that an operator
gives for taking somebody's data: without it the entry would not account for the act."""

KINDS: dict[str, frozenset[str]] = {
    "account.registered": frozenset(),
    "account.password_changed": frozenset(),
    "account.password_reset": frozenset(),
    "account.address_change_asked": frozenset(),
    "account.address_changed": frozenset(),
    "account.address_undone": frozenset(),
    "session.signed_in": frozenset(),
    "session.confirmed": frozenset(),
    "session.failed": frozenset({"count", "day"}),
    "session.signed_out": frozenset(),
    "session.signed_out_everywhere": frozenset({"count"}),
    "session.ended": frozenset(),
    "session.others_ended": frozenset({"count"}),
    "factor.turned_on": frozenset(),
    "factor.turned_off": frozenset(),
    "factor.reset": frozenset(),
    "factor.recovery_code_used": frozenset({"count"}),
    "factor.recovery_codes_renewed": frozenset({"count"}),
    "organisation.second_factor_required": frozenset(),
    "organisation.second_factor_optional": frozenset(),
    "organisation.created": frozenset(),
    "organisation.renamed": frozenset(),
    "project.archived": frozenset(),
    "project.deleted": frozenset({"count"}),
    "project.unarchived": frozenset(),
    "resource.archived": frozenset({"project"}),
    "resource.deleted": frozenset({"count"}),
    "resource.unarchived": frozenset({"project"}),
    "rule.chosen": frozenset({"rule", "choice", "before"}),
    "account.deletion_started": frozenset(),
    "account.restored": frozenset(),
    "account.purged": frozenset(),
    "organisation.deletion_started": frozenset(),
    "organisation.restored": frozenset(),
    "organisation.purged": frozenset(),
    "member.joined": frozenset({"role", "invitation"}),
    "member.role_changed": frozenset({"was", "role"}),
    "member.removed": frozenset({"role"}),
    "member.left": frozenset({"role"}),
    "invitation.made": frozenset({"invitation", "role"}),
    "invitation.revoked": frozenset({"invitation", "role"}),
    "key.issued": frozenset({"key", "scopes", "days"}),
    "key.rotated": frozenset({"key", "replaces", "scopes", "days"}),
    "key.revoked": frozenset({"key"}),
    "key.handed_over": frozenset({"key"}),
    "keyring.rotation_requested": frozenset(),
    "datakey.renewed": frozenset(),
    "export.requested": frozenset({"export"}),
    "operator.added": frozenset(),
    "operator.disabled": frozenset(),
    "operator.enabled": frozenset(),
    "operator.export_started": frozenset({"export", "reason"}),
    "operator.deletion_started": frozenset({"reason"}),
    "operator.export_copied": frozenset({"export", "reason"}),
    "operator.job_cancelled": frozenset({"job"}),
    "operator.job_retried": frozenset({"job"}),
    "backup.made": frozenset({"backup", "count"}),
    "backup.restored": frozenset({"backup", "count"}),
    "backup.restored_without_erasures": frozenset({"backup", "count"}),
    "plan.granted": frozenset({"plan"}),
    "hold.added": frozenset({"hold", "retention"}),
    "hold.approved": frozenset({"hold", "retention"}),
    "hold.released": frozenset({"hold", "retention"}),
    "request.made": frozenset({"right"}),
    "request.withdrawn": frozenset({"right"}),
    "request.entered": frozenset({"right"}),
    "request.extended": frozenset(),
    "request.answered": frozenset(),
    "ticket.answered": frozenset(),
    "ticket.closed": frozenset(),
    "promise.attested": frozenset({"control"}),
    "promise.attestation_withdrawn": frozenset({"control"}),
    "policy.published": frozenset({"version", "change"}),
    "audit.content_erased": frozenset({"count"}),
}
"""Each kind of act with the fields that may be kept of it. Names are permanent."""


MOST_A_DAY: dict[str, int] = {
    "export.requested": 20,
    "key.issued": 200,
    "key.rotated": 400,
    "member.role_changed": 2_000,
    "organisation.renamed": 50,
    "organisation.restored": 20,
    "organisation.second_factor_optional": 50,
    "rule.chosen": 1_000,
}
"""How often a day (UTC) an organisation may do what it could do again and again, each time leaving an entry and more.

What takes away is not among them, such as revoking and deleting: there is no more of it than of what was made before.
"""


@dataclass(frozen=True)
class EntryContent:
    """What an entry is about: identifiers only. ``details`` is canonical JSON."""

    organisation_id: str | None
    actor: str
    subject: str | None
    details: str


def content_of(
    kind: str, actor: str, organisation_id: str | None, subject: str | None, details: Mapping[str, str | int | None]
) -> EntryContent:
    """What will be kept of an act; fields that are None are left out.

    Raises:
        ValueError: the kind is not in `KINDS`, or something is not of the form that it may have.
    """
    kept = {name: value for name, value in details.items() if value is not None}
    wrong = [name for name, value in kept.items() if name not in KINDS.get(kind, ()) or not _FIELDS[name](value)]
    if kind not in KINDS or wrong:
        message = f"{kind} may not be audited so: {', '.join(sorted(wrong)) or 'unknown kind'}"
        raise ValueError(message)
    named = ACTOR.fullmatch(actor) and (subject is None or SUBJECT.fullmatch(subject))
    if not named or not (organisation_id is None or is_id(organisation_id)):
        message = f"{kind}: actor, subject and organisation must be identifiers"
        raise ValueError(message)
    return EntryContent(organisation_id, actor, subject, json.dumps(kept, sort_keys=True, separators=(",", ":")))


def commitment(salt: bytes, content: EntryContent) -> str:
    """The salted hash that stands for the content."""
    parts = (content.organisation_id, content.actor, content.subject, content.details)
    return _hash("pigi audit content 1", salt, *parts)


def entry_hash(previous: str, seq: int, at: datetime, kind: str, commitment: str) -> str:
    """The hash of an entry, which the next one holds as its ``previous``."""
    return _hash("pigi audit entry 1", previous, str(seq), moment(at), kind, commitment)


def moment(at: datetime) -> str:
    """A moment as it is hashed and signed: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def encode(*parts: str | bytes | None) -> bytes:
    """The parts, each with its length, and None distinct from empty: no two lists of parts give the same bytes."""
    found = bytearray()
    for part in parts:
        if part is None:
            found += b"\0"
            continue
        data = part.encode() if isinstance(part, str) else part
        found += b"\1" + len(data).to_bytes(8, "big") + data
    return bytes(found)


def _hash(*parts: str | bytes | None) -> str:
    return hashlib.sha256(encode(*parts)).hexdigest()
