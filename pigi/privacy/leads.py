"""How tables lead to a person: which rows an access export is to show them (GDPR article 15, promise P28).

A table without leads says why. Tests hold this against both databases, so a new table must say one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """What of a person a column may hold."""

    ID = "the account's id"
    NAME = "the account as rows name it, such as account:ID"
    ADDRESS = "the address, in the form in which it is compared"
    HASH = "a keyed hash of the address"


@dataclass(frozen=True)
class Lead:
    """A column by which rows lead to a person: it holds ``by``, or equals column ``through`` of rows that lead there.

    ``own`` says that such a row is about the person; otherwise they only made it, and names and addresses in it are
    somebody else's.
    """

    column: str
    by: By | None = None
    through: str = ""
    own: bool = True


@dataclass(frozen=True)
class Led:
    """A table whose rows lead to people, and what a reader calls them."""

    title: str
    leads: tuple[Lead, ...]


def _made(column: str) -> Lead:
    return Lead(column, By.NAME, own=False)


CONTROL_LEADS: dict[str, Led] = {
    "account": Led("Your account", (Lead("id", By.ID),)),
    "registration": Led("Registrations with your address", (Lead("email_key", By.ADDRESS),)),
    "account_token": Led("Links that were mailed to you", (Lead("account_id", By.ID), Lead("email_key", By.ADDRESS))),
    "address_undo": Led(
        "Addresses that your account had of late", (Lead("account_id", By.ID), Lead("email_key", By.ADDRESS))
    ),
    "session": Led("Browsers in which you are signed in", (Lead("account_id", By.ID),)),
    "failed_sign_in": Led("Wrong passwords and codes of the day, in number", (Lead("subject", By.ID),)),
    "second_factor": Led("Your second factor", (Lead("account_id", By.ID),)),
    "recovery_code": Led("Your recovery codes", (Lead("account_id", By.ID),)),
    "membership": Led("Organisations that you belong to", (Lead("account_id", By.ID),)),
    "organisation": Led("Those organisations", (Lead("id", through="membership.organisation_id"),)),
    "invitation": Led(
        "Invitations to you, and those that you made",
        (Lead("email_key", By.ADDRESS), Lead("invited_by", By.ID, own=False)),
    ),
    "api_key": Led(
        "API keys that you made, or answer for",
        (Lead("created_by", By.ID, own=False), Lead("handed_to", By.ID, own=False)),
    ),
    "mail": Led(
        "Mails to you",
        (Lead("recipient_id", By.ID), Lead("address_hash", By.HASH), Lead("subject_id", By.ID)),
    ),
    "audit_content": Led(
        "What you did that changed access, and what was done to yours", (_made("actor"), Lead("subject", By.NAME))
    ),
    "audit_entry": Led("When that was", (Lead("seq", through="audit_content.seq"),)),
    "job": Led("Jobs that you requested", (_made("requested_by"),)),
    "effect": Led("What those jobs did", (Lead("job_id", through="job.id", own=False),)),
    "idempotency_key": Led("Requests that you may repeat safely", (Lead("caller", By.NAME),)),
    "export": Led("Exports of you, and those that you requested", (Lead("account_id", By.ID), _made("requested_by"))),
    "deletion": Led(
        "Deletions of you, and those that you requested", (Lead("subject_id", By.ID), _made("requested_by"))
    ),
    "deletion_step": Led("Their steps", (Lead("deletion_id", through="deletion.id", own=False),)),
    "privacy_request": Led(
        "What you asked about your data, and the answers",
        (Lead("account_id", By.ID), Lead("email_key", By.ADDRESS), _made("entered_by")),
    ),
    "ticket": Led("What you wrote to whoever runs Pigi, and the answers", (Lead("account_id", By.ID),)),
    "policy_notice": Led("Notices of changes of the policy", (Lead("account_id", By.ID),)),
    "hold": Led("Legal holds that you decided", (_made("added_by"), _made("approved_by"), _made("released_by"))),
}

TENANT_LEADS: dict[str, Led] = {
    "project": Led("Projects that you made", (_made("created_by"),)),
    "resource_revision": Led("Revisions that you wrote or accepted", (_made("author"),)),
    "generation": Led("Drafts that you asked for", (Lead("id", through="job.subject_id", own=False),)),
    "live_text": Led("What of them is being written just now", (Lead("generation_id", through="generation.id"),)),
    "import": Led("Files that you brought in", (_made("requested_by"),)),
}
"""``job.subject_id`` is of the control database: the ids are looked up there first."""

NOT_LED: dict[str, str] = {
    "data_key": "is the organisation's",
    "tombstone": "says no longer who requested the job",
    "usage_count": "counts what all of an organisation requested",
    "heartbeat": "is Pigi's own",
    "throttle": "holds a keyed hash, made so that it leads to nobody, for a day",
    "audit_anchor": "holds hashes and signatures",
    "request_log": "says in which organisation, and not who",
    "error_log": "says in which part of Pigi, and not who",
    "usage_signal": "says in which organisation, and not who",
    "usage_daily": "counts what is about nobody",
    "billing_account": "is the organisation's; its owners see it on the billing page",
    "billing_event": "is the organisation's",
    "billing_log": "is the organisation's",
    "billing_link": "is the organisation's; nobody is named",
    "billing_price": "is Pigi's own",
    "billing_run": "is Pigi's own",
    "receipt": "names nobody",
    "backup": "is Pigi's own",
    "policy_version": "is Pigi's own; it is public",
    "evidence": "is Pigi's own",
    "promise_alarm": "is Pigi's own",
    "egress": "counts connections, and not whose",
    "provider_key": "is Pigi's own",
    "public_key": "is Pigi's own",
    "index_key": "is the organisation's",
    "storage": "is the organisation's; it counts, and not whose",
    "resource": "is the organisation's; who wrote what is in its revisions",
}

SEALED_FOR: dict[str, str] = {
    "resource_revision": "{resource_id}/{number}",
    "live_text": "{generation_id}/{position}",
    "index_key": "{use}",
}
"""The row for which a table's sealed values are sealed, where that is not its id."""
