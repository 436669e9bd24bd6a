"""Who else gets data, what and why, and what Pigi itself runs on: nothing else may be connected to.

The record of processing, the policy, the page of recipients and the guard of connections (`pigi.egress`) read it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pigi.domain.privacy import Recipient


@dataclass(frozen=True)
class RecipientFacts:
    """Somebody else who gets data: what, what for, where, and how long they keep it."""

    title: str
    gets: str
    why: str
    where: str
    keeps: str


RECIPIENTS: dict[Recipient, RecipientFacts] = {
    Recipient.STRIPE: RecipientFacts(
        "Stripe",
        "the organisation's name and ID, an owner's e-mail address, and what is bought",
        "to take payment, and to send receipts and invoices",
        "Ireland and the United States, under standard contractual clauses",
        "as long as the law asks of payments; Pigi has the customer deleted with the organisation",
    ),
    Recipient.ANTHROPIC: RecipientFacts(
        "Anthropic",
        "the purpose and the resource's name, when somebody uses Generate with AI, and its own draft if that broke a"
        " rule; nothing of who asks",
        "to write the draft",
        "the United States, under standard contractual clauses",
        "up to 30 days under its commercial terms; never to train models",
    ),
    Recipient.BUNNY: RecipientFacts(
        "Bunny Fonts",
        "the network address and the kind of the browser that asks for a font, and which site asks; no cookie, and not"
        " which page",
        "to show pages in their typeface",
        "Slovenia and the other countries of its network in the European Union",
        "not at all, as it says",
    ),
    Recipient.MAIL: RecipientFacts(
        "the mail server, and the servers of whoever the mail is for",
        "the addressee's address, and what the mail says, names in it included",
        "to deliver it",
        "where this installation's mail server is, and the addressee's",
        "until it is delivered; the addressee for as long as they like",
    ),
}


_WITHOUT_BUNNY = {
    "self": "nothing: this installation serves its typeface itself",
    "none": "nothing: this installation uses the typefaces of people's own devices",
}


def recipients_here(fonts: str) -> dict[Recipient, RecipientFacts]:
    """`RECIPIENTS` as PIGI_FONTS has it: who is not asked for fonts gets nothing, and is still named."""
    if fonts not in _WITHOUT_BUNNY:
        return RECIPIENTS
    return {**RECIPIENTS, Recipient.BUNNY: replace(RECIPIENTS[Recipient.BUNNY], gets=_WITHOUT_BUNNY[fonts])}


@dataclass(frozen=True)
class Infrastructure:
    """What an installation runs on, which whoever runs it chooses: what goes there and why."""

    title: str
    gets: str
    why: str


INFRASTRUCTURE: dict[str, Infrastructure] = {
    "database": Infrastructure(
        "the database server", "whatever Pigi keeps; what people write in a workspace is sealed", "to keep it"
    ),
    "redis": Infrastructure("the Redis server", "the kinds and IDs of jobs", "to wake the workers"),
    "files": Infrastructure(
        "the stores of files and backups", "exports, uploads and encrypted backups", "to keep them"
    ),
    "pigi": Infrastructure("this installation's own address", "requests of the command line", "to try itself out"),
}
"""By the name under which connections are counted; third parties are counted under theirs in `Recipient`."""

ELSEWHERE = "elsewhere"
"""The name under which refused connections are counted. Where they would have gone is not kept: it may be content."""

NAMES: frozenset[str] = frozenset({*(recipient.value for recipient in RECIPIENTS), *INFRASTRUCTURE})
"""Every name that a connection that was let through can be counted under."""
