"""What personal data is processed for, who else gets it, and how it is guarded (GDPR article 30(1)), as data."""

from __future__ import annotations

from dataclasses import dataclass

from pigi.domain.retention import Retention


@dataclass(frozen=True)
class Activity:
    """A purpose of processing, and the classes of records that serve it."""

    name: str
    title: str
    why: str
    classes: tuple[Retention, ...]


ACTIVITIES: tuple[Activity, ...] = (
    Activity(
        "accounts",
        "Accounts and signing in",
        "So that people can have an account, prove that an address is theirs, sign in and stay signed in, and nobody "
        "can guess their way in.",
        (
            Retention.ACCOUNT,
            Retention.REGISTRATION,
            Retention.TOKEN,
            Retention.ADDRESS_UNDO,
            Retention.SESSION,
            Retention.THROTTLE,
            Retention.FAILED_SIGN_IN,
        ),
    ),
    Activity(
        "organisations",
        "Organisations, members and keys",
        "So that an organisation's people and programs reach its workspace, each as far as their role or scopes allow.",
        (
            Retention.ORGANISATION,
            Retention.MEMBERSHIP,
            Retention.INVITATION,
            Retention.ACCESS_KEY,
            Retention.COUNTER,
        ),
    ),
    Activity(
        "configuration",
        "Configuration",
        "So that an organisation keeps its agents, MCP servers, documents and settings, with every change and who made "
        "it. Only the organisation decides what it writes there.",
        (Retention.CONFIGURATION, Retention.IMPORT),
    ),
    Activity(
        "drafts",
        "Generate with AI",
        "So that a draft is written when somebody asks for one. It never trains a model.",
        (Retention.PURPOSE, Retention.DRAFT),
    ),
    Activity(
        "jobs",
        "Jobs",
        "So that what takes time is done once, survives failures, and can be explained afterwards.",
        (Retention.JOB, Retention.TOMBSTONE, Retention.IDEMPOTENCY),
    ),
    Activity(
        "mail",
        "Mail",
        "So that invitations, confirmations and warnings arrive once, and it can be answered whether they did.",
        (Retention.MAIL,),
    ),
    Activity(
        "billing",
        "Billing",
        "So that an organisation can pay through Stripe, gets what it paid for, and the books are as the law wants.",
        (Retention.BILLING_LOG, Retention.BILLING_EVENT, Retention.BILLING_LINK, Retention.BILLING_RUN),
    ),
    Activity(
        "service",
        "Running the service",
        "So that faults are found, and improvement goes by counts that are about nobody.",
        (Retention.REQUEST_LOG, Retention.ERROR_LOG, Retention.USAGE, Retention.OPERATIONAL),
    ),
    Activity(
        "accountability",
        "Accountability",
        "So that it can be proved who changed access, what operators did, why something was kept longer, and who was "
        "told of which policy.",
        (Retention.AUDIT, Retention.HOLD, Retention.EVIDENCE, Retention.EGRESS, Retention.POLICY, Retention.NOTICE),
    ),
    Activity(
        "rights",
        "People's rights",
        "So that people and organisations can take their data along, and have it deleted with proof.",
        (
            Retention.EXPORT,
            Retention.EXPORT_RECORD,
            Retention.DELETION,
            Retention.RECEIPT,
            Retention.PRIVACY_REQUEST,
        ),
    ),
    Activity(
        "contact",
        "Messages to whoever runs Pigi",
        "So that a question gets an answer, a vulnerability can be reported, and it can be seen that both were.",
        (Retention.TICKET,),
    ),
    Activity(
        "recovery",
        "Recovery",
        "So that a loss can be recovered from, without bringing back what was deleted.",
        (Retention.BACKUP, Retention.ERASURE),
    ),
)


SAFEGUARDS: tuple[str, ...] = (
    "Each organisation has a database of its own, and what its people write is sealed there with a key of its own.",
    "Nobody reaches an organisation's data but its members, by role, and its keys, by scope.",
    "Everything is encrypted on its way. In production Pigi refuses to start otherwise, or outside the European Union.",
    "Messages between processes hold identifiers alone, and logs hold no content.",
    "Changes of access and acts of operators stand in a chain of hashes that shows any later change.",
    "Every class of records has a period, and what is past it is removed by itself.",
    "A deletion ends with a search of every place by other code than that which deletes, and with a signed receipt.",
)
