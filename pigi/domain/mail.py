"""Transactional mail: the templates, and the promise of each (P10)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pigi.domain.processing import Use

if TYPE_CHECKING:
    from datetime import datetime


class Template(StrEnum):
    """What a mail says; the names are permanent, and those of the files in `pigi/mail_templates`."""

    WELCOME = "welcome"
    ALREADY_REGISTERED = "already-registered"
    INVITATION = "invitation"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - a template's name
    CONFIRM_ADDRESS = "confirm-address"
    ADDRESS_CHANGED = "address-changed"
    ADDRESS_UNDO = "address-undo"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a template's name
    SECOND_FACTOR_ON = "second-factor-on"
    SECOND_FACTOR_OFF = "second-factor-off"
    RECOVERY_CODE_USED = "recovery-code-used"
    KEY_EXPIRING = "key-expiring"
    KEYS_SETTLED = "keys-settled"
    OWNERS_CHANGED = "owners-changed"
    DEAR_ACT = "dear-act"
    EXPORT_READY = "export-ready"
    DELETION_STARTED = "deletion-started"
    DELETION_WARNING = "deletion-warning"
    DELETION_RECEIPT = "deletion-receipt"
    ACCOUNT_DELETION_STARTED = "account-deletion-started"
    ACCOUNT_DELETION_WARNING = "account-deletion-warning"
    POLICY_CHANGED = "policy-changed"
    PRIVACY_REQUEST_EXTENDED = "privacy-request-extended"
    PRIVACY_REQUEST_ANSWERED = "privacy-request-answered"
    PROMISE_ALARM = "promise-alarm"
    TICKET_RECEIVED = "ticket-received"
    TICKET_NOTICE = "ticket-notice"
    TICKET_ANSWER = "ticket-answer"


class Promise(StrEnum):
    """What a crash at the worst moment does to a mail: none twice, or none lost. Nothing gives both."""

    AT_MOST = "at most once"
    AT_LEAST = "at least once"


EFFECTS = {Promise.AT_MOST: "mail", Promise.AT_LEAST: "notice"}
"""The effect under which a job records the sending; the catalogue of kinds gives each its policy."""


@dataclass(frozen=True)
class MailTemplate:
    """A template's facts. The subject is fixed: mail servers write it into their logs, so it names nobody.

    ``use`` says whether somebody who restricted the use of their data gets it all the same.
    """

    subject: str
    promise: Promise
    use: Use = Use.SERVICE

    @property
    def effect(self) -> str:
        """The key of the effect of sending it."""
        return EFFECTS[self.promise]


MAIL_TEMPLATES: dict[Template, MailTemplate] = {
    # Somebody waits for these and can ask again. A second copy of a link would only make them wonder.
    Template.WELCOME: MailTemplate("Confirm your address for Pigi", Promise.AT_MOST),
    Template.ALREADY_REGISTERED: MailTemplate("You already have a Pigi account", Promise.AT_MOST),
    Template.INVITATION: MailTemplate("You are invited to an organisation on Pigi", Promise.AT_MOST),
    Template.PASSWORD_RESET: MailTemplate("Choose a new password for Pigi", Promise.AT_MOST),
    Template.CONFIRM_ADDRESS: MailTemplate("Confirm your new address for Pigi", Promise.AT_MOST),
    # To everybody: a second copy would be one more mail that nobody asked for, and pages show the same.
    Template.POLICY_CHANGED: MailTemplate("Pigi's privacy policy changes", Promise.AT_MOST),
    # Nobody waits for these, so nobody would miss them. They warn, and must not be lost.
    Template.ADDRESS_CHANGED: MailTemplate("A new address for your Pigi account", Promise.AT_LEAST),
    Template.ADDRESS_UNDO: MailTemplate("The address of your Pigi account was changed", Promise.AT_LEAST),
    Template.PASSWORD_CHANGED: MailTemplate("The password of your Pigi account was changed", Promise.AT_LEAST),
    Template.SECOND_FACTOR_ON: MailTemplate("Your Pigi account has a second factor now", Promise.AT_LEAST),
    Template.SECOND_FACTOR_OFF: MailTemplate("Your Pigi account has no second factor any more", Promise.AT_LEAST),
    Template.RECOVERY_CODE_USED: MailTemplate("A recovery code of your Pigi account was used", Promise.AT_LEAST),
    Template.EXPORT_READY: MailTemplate("A copy of your data is ready in Pigi", Promise.AT_LEAST),
    Template.KEY_EXPIRING: MailTemplate("An API key expires soon", Promise.AT_LEAST, Use.NOTICES),
    Template.KEYS_SETTLED: MailTemplate("What became of a member's API keys on Pigi", Promise.AT_LEAST),
    # Queued by the previous release alone: dear-act tells it now.
    Template.OWNERS_CHANGED: MailTemplate("The owners of an organisation on Pigi changed", Promise.AT_LEAST),
    Template.DEAR_ACT: MailTemplate("Something that needs your eye was done on Pigi", Promise.AT_LEAST),
    Template.DELETION_STARTED: MailTemplate("An organisation on Pigi is being deleted", Promise.AT_LEAST),
    Template.DELETION_WARNING: MailTemplate("An organisation on Pigi is deleted for good soon", Promise.AT_LEAST),
    Template.DELETION_RECEIPT: MailTemplate("The receipt of a deletion on Pigi", Promise.AT_LEAST),
    Template.PRIVACY_REQUEST_EXTENDED: MailTemplate("Your request about your data takes longer", Promise.AT_LEAST),
    Template.PRIVACY_REQUEST_ANSWERED: MailTemplate("The answer to your request about your data", Promise.AT_LEAST),
    # The page has shown its number, so nobody waits for it; and whoever did not write should not get it twice.
    Template.TICKET_RECEIVED: MailTemplate("Your message to Pigi has arrived", Promise.AT_MOST),
    Template.TICKET_NOTICE: MailTemplate("A message to Pigi waits for an answer", Promise.AT_LEAST),
    Template.TICKET_ANSWER: MailTemplate("The answer to your message to Pigi", Promise.AT_LEAST),
    Template.PROMISE_ALARM: MailTemplate("How Pigi keeps its promises has changed", Promise.AT_LEAST),
    Template.ACCOUNT_DELETION_STARTED: MailTemplate("Your Pigi account is being deleted", Promise.AT_LEAST),
    Template.ACCOUNT_DELETION_WARNING: MailTemplate("Your Pigi account is deleted for good soon", Promise.AT_LEAST),
}


class MailState(StrEnum):
    """How far a mail is, as its ledger shows it; the names are permanent. Kept for 30 days (`Retention.MAIL`)."""

    QUEUED = "queued"
    """Its job has not ended. Left by the cleanup of that job."""
    SENT = "sent"
    """The server answers for it. Left by nobody."""
    UNKNOWN = "unknown"
    """Handed over, but the server's answer was lost. Left by a retry of its job by hand, if it is a mail that may come
    twice."""
    FAILED = "failed"
    """Not sent. Left by a retry of its job by hand."""


_WAITS = [timedelta(seconds=seconds) for seconds in (1, 2, 8, 25, 60, 120, 300, 300, 600, 600, 900, 900, 1800, 1800)]
_LONGEST_WAIT = timedelta(hours=1)


def wait_before_try(failures: int) -> timedelta:
    """The least wait after so many failures.

    Dense at first, since greylisting servers want a second try after some seconds or minutes and a person may
    be waiting; then wider, for a server that is down. RFC 5321, section 4.5.4.1, asks for at least half an hour
    "in general" and allows other plans; its queues try for days, and no link that Pigi mails lives so long.
    """
    return _WAITS[failures] if failures < len(_WAITS) else _LONGEST_WAIT


DOUBTFUL_SENDS = 3
"""How often a mail that must not be lost may be handed over without an answer: it may come so many times."""

_NAME_LENGTH = 120
_OVERRIDES = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
_LINKISH = re.compile(r"(?<=\S)[.:@/](?=[\w/])")
_RTL = frozenset({"R", "AL", "AN"})
_ISOLATE = "\u2068{}\u2069"
WORD_JOINER = "\u2060"


def shown(name: str) -> str:
    """A name that people chose, fit for a mail that Pigi signs: one line, no longer than a name, and never a link.

    Mail programs turn ``evil.example`` into a link by themselves, so a word joiner, which is not seen, breaks
    what looks like one. Right-to-left names are kept from turning the text around them (Unicode UAX 9, isolates).
    """
    text = unicodedata.normalize("NFC", name).translate(_OVERRIDES)
    text = " ".join("".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in text).split())
    if len(text) > _NAME_LENGTH:
        text = text[: _NAME_LENGTH - 1] + "…"
    text = _LINKISH.sub(lambda found: found.group() + WORD_JOINER, text)
    return _ISOLATE.format(text) if any(unicodedata.bidirectional(sign) in _RTL for sign in text) else text


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def moment(at: datetime) -> str:
    """A moment as a mail says it. Pigi knows nobody's time zone."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc.hour:02}:{utc.minute:02} UTC"
