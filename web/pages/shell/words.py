"""Words of the pages: what codes, moments and lengths of time are called. Filters of the templates."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pigi.domain.mail import MAIL_TEMPLATES
from pigi.domain.reasons import REASONS
from pigi.domain.retention import TITLES, Retention
from pigi.jobs.kinds import kind_of
from web.pages.shell.links import linked
from web.pages.shell.markdown import rendered
from web.pages.shell.money import FILTERS as OF_BILLING
from web.pages.shell.sizes import bytes_word

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

MINUTE, HOUR = 60, 3600
ID_END = 8
"""Characters of an identifier that are shown where there is no room for all of it: 32 random bits."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

STATES = {
    "queued": "Waiting",
    "running": "Running",
    "retrying": "Waiting to retry",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
ORIGINS = {
    "written": ("written", "Written"),
    "generated": ("generated, then accepted", "Generated, then accepted"),
    "generated_edited": ("generated, then edited and accepted", "Generated, then edited and accepted"),
}
DELETION_STATES = {
    "grace": "Can be restored",
    "sealed": "Closed for good",
    "purging": "Being removed",
    "searching": "Being searched for",
    "done": "Done",
}
DELETION_STEPS = {
    "subscription": "Subscription and customer at Stripe",
    "links": "Exports and their links",
    "files": "Files",
    "database": "Its database",
    "key": "The key of its database",
    "logs": "Logs",
    "mails": "Records of mails",
    "jobs": "Jobs",
    "broker": "Messages to workers",
    "idempotency": "Answers kept for repeated requests",
    "billing": "Billing, but for the log that the law asks for",
    "access": "Members, invitations and API keys",
    "organisation": "The organisation itself",
    "authorship": "Who wrote what",
    "requests": "Who asked for which job",
    "sign-in": "Password, sessions and mailed links",
    "memberships": "Memberships",
    "tickets": "Messages to whoever runs Pigi",
    "erasure-log": "Mark for restored backups",
    "account": "The account itself",
    "search": "Final search",
}
EFFECT_STATES = {"intended": "In progress", "done": "Done", "unknown": "Unknown"}
AUDIT = {
    "account.registered": "Account created",
    "account.password_changed": "Password changed",
    "account.password_reset": "Password reset",
    "account.address_change_asked": "Another address asked for",
    "account.address_changed": "Address changed",
    "account.address_undone": "Old address brought back",
    "session.signed_in": "Signed in",
    "session.confirmed": "Gave the password once more",
    "session.failed": "Wrong passwords or codes",
    "session.signed_out": "Signed out",
    "session.signed_out_everywhere": "Signed out everywhere",
    "session.ended": "Signed out another browser",
    "session.others_ended": "Signed out all other browsers",
    "factor.turned_on": "Second factor turned on",
    "factor.turned_off": "Second factor turned off",
    "factor.reset": "Second factor removed by an operator",
    "factor.recovery_code_used": "Recovery code used",
    "factor.recovery_codes_renewed": "Recovery codes made anew",
    "organisation.second_factor_required": "Second factor required of members",
    "organisation.second_factor_optional": "Second factor left to members",
    "organisation.created": "Organisation created",
    "organisation.renamed": "Organisation renamed",
    "resource.deleted": "Archived resource deleted for good",
    "project.deleted": "Archived project deleted for good",
    "rule.chosen": "Decided about a rule for resources",
    "account.deletion_started": "Account deleted",
    "account.restored": "Account restored",
    "account.purged": "Account deleted for good",
    "backup.made": "Backup made",
    "keyring.rotation_requested": "Rotation of the keyring requested",
    "datakey.renewed": "Data key renewed",
    "backup.restored": "Restored from a backup",
    "backup.restored_without_erasures": "Restored from a backup without the erasure log",
    "hold.added": "Legal hold asked for",
    "hold.approved": "Legal hold approved",
    "hold.released": "Legal hold released",
    "organisation.deletion_started": "Deletion requested",
    "organisation.restored": "Organisation restored",
    "organisation.purged": "Organisation deleted for good",
    "member.joined": "Member joined",
    "member.role_changed": "Role changed",
    "member.removed": "Member removed",
    "member.left": "Member left",
    "invitation.made": "Invitation sent",
    "invitation.revoked": "Invitation revoked",
    "project.archived": "Project archived",
    "project.unarchived": "Project brought back",
    "resource.archived": "Resource archived",
    "resource.unarchived": "Resource brought back",
    "key.issued": "API key created",
    "key.rotated": "API key rotated",
    "key.revoked": "API key revoked",
    "key.handed_over": "API key handed over",
    "plan.granted": "Plan granted by an operator",
    "operator.added": "Operator added",
    "operator.disabled": "Operator disabled",
    "operator.enabled": "Operator enabled",
    "export.requested": "Export requested",
    "operator.export_started": "Export started by an operator",
    "operator.deletion_started": "Deletion started by an operator",
    "operator.export_copied": "Export copied by an operator",
    "operator.job_cancelled": "Job cancelled by an operator",
    "operator.job_retried": "Job retried by an operator",
    "request.made": "Asked about their data",
    "request.withdrawn": "Took back what they asked",
    "request.entered": "Request about data entered by an operator",
    "request.extended": "Request about data extended by an operator",
    "policy.published": "Policy published by an operator",
    "request.answered": "Request about data answered by an operator",
    "ticket.answered": "Message answered by an operator",
    "ticket.closed": "Message closed by an operator",
    "promise.attested": "A promise answered for by an operator",
    "promise.attestation_withdrawn": "An operator's word for a promise taken back",
    "audit.content_erased": "Entry erased",
}


@dataclass(frozen=True)
class KindWords:
    """A kind of resource: its wire name, its collection's name in paths, and what people call it."""

    wire: str
    collection: str
    title: str
    noun: str
    plural: str
    says: str
    next: str


KINDS = {
    kind.wire: kind
    for kind in (
        KindWords(
            "agent", "agents", "Agents", "agent", "agents",
            "Roles that a coding agent can delegate work to.",
            "Say what an agent is for and have it drafted, or write one.",
        ),
        KindWords(
            "mcp-server", "mcp-servers", "MCP servers", "MCP server", "MCP servers",
            "Servers that tools reach, with slots for secrets and never their values.",
            "Describe the server and have it drafted, or write it.",
        ),
        KindWords(
            "document", "documents", "Documents", "document", "documents",
            "Instructions that agents read before they work.",
            "Say what agents should know here and have it drafted, or write it.",
        ),
        KindWords(
            "settings", "settings", "Settings", "settings", "settings",
            "What may run without asking, what must ask, and what must never run.",
            "Say how careful agents should be and have rules drafted, or write them.",
        ),
    )
}  # fmt: skip
COLLECTIONS = {kind.collection: kind for kind in KINDS.values()}


def moment(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def spoken(at: datetime) -> str:
    """``24 Nov 2026, 10:03 UTC``; a script makes it local and relative."""
    return f"{spoken_day(at)}, {at.hour:02}:{at.minute:02} UTC"


def spoken_day(on: date) -> str:
    """``24 Nov 2026``."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 4 s``, ``5 min`` or ``2 h 5 min``."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits are enough
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min {int(seconds % MINUTE)} s".removesuffix(" 0 s")
    return f"{int(seconds // HOUR)} h {int(seconds % HOUR // MINUTE)} min".removesuffix(" 0 min")


def pretty(value: object) -> str:
    """JSON for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def pointer_words(pointer: str) -> str:
    """A JSON pointer (RFC 6901) as a path to read: positions count from 1."""
    parts = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    return " > ".join(str(int(part) + 1) if part.isdecimal() else part.replace("_", " ") for part in parts)


def reason_title(code: str) -> str:
    """What a reason's code means."""
    return REASONS[code].title if code in REASONS else code


def reason_advice(code: str) -> str:
    """What to do about it."""
    return REASONS[code].advice if code in REASONS else ""


def as_pattern(text: str) -> str:
    """A regular expression, as an input's ``pattern`` takes it, of exactly this text.

    Source: ECMAScript, production SyntaxCharacter: the characters that may be escaped, and no others.
    """
    return re.sub(r"[\^$\\.*+?()\[\]{}|/]", r"\\\g<0>", text)


def job_word(kind: str) -> str:
    """What a kind of job is called."""
    return kind_of(kind).title


def mail_word(template: str) -> str:
    """What a mail's template is called: its subject, which names nobody."""
    return next((facts.subject for name, facts in MAIL_TEMPLATES.items() if name == template), template)


def id_end(identifier: str) -> str:
    """``…8ef5774d``: the end of an identifier. Its beginning is a time, which those made together have in common."""
    return f"…{identifier[-ID_END:]}"


def counted(count: int, noun: str) -> str:
    """``1 project``, ``2,000 projects``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


FILTERS: dict[str, Callable[..., Any]] = {
    **OF_BILLING,
    "moment": moment,
    "spoken": spoken,
    "spoken_day": spoken_day,
    "duration": duration,
    "pretty": pretty,
    "rendered": rendered,
    "origin_word": lambda origin: ORIGINS[origin][0],
    "origin_words": lambda origin: ORIGINS[origin][1],
    "entries": lambda values: "\n".join(value.replace("\n", "↵") for value in values),
    "as_pattern": as_pattern,
    "pointer_words": pointer_words,
    "reason_title": reason_title,
    "reason_advice": reason_advice,
    "job_word": job_word,
    "state_word": lambda code: STATES.get(code, code),
    "deletion_word": lambda state: DELETION_STATES.get(state, state),
    "step_word": lambda name: DELETION_STEPS.get(name, name),
    "retention_word": lambda name: TITLES[Retention(name)],
    "effect_word": lambda state: EFFECT_STATES.get(state, state),
    "mail_word": mail_word,
    "audit_word": lambda code: AUDIT.get(code, code),
    "kind_word": lambda wire: KINDS[wire].noun,
    "kind_words": lambda wire: KINDS[wire].title,
    "bytes_word": bytes_word,
    "id_end": id_end,
    "counted": counted,
    "linked": linked,
    "collection": lambda wire: KINDS[wire].collection,
}
