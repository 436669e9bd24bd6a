"""Controls of who gets data: nobody but the listed recipients."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.privacy import Recipient
from pigi.domain.recipients import NAMES, RECIPIENTS
from pigi.operations.recipients import connections_since, refused_since
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from pigi.application import Application

LOOKED_BACK = timedelta(days=1)


def columns_go_to_the_listed(_application: Application) -> Finding:
    """Whether every column that goes to somebody names a recipient of whom it is said what they get and why."""
    columns = [column for metadata in (CONTROL, TENANT) for table in metadata.sorted_tables for column in table.columns]
    facts = [column.info["facts"] for column in columns if "facts" in column.info]
    told = {who for who, listed in RECIPIENTS.items() if listed.gets and listed.why}
    strange = sorted({str(who) for one in facts for who in one.recipients if who not in told})
    if strange:
        return Finding(False, f"Columns go to somebody who is not listed: {', '.join(strange)}.")
    leaving = sum(1 for one in facts if one.recipients)
    return Finding(True, f"{leaving} of {len(facts)} columns leave Pigi, each to a recipient in the list.")


def connections_went_to_the_listed(application: Application) -> Finding:
    """Whether every connection of the last thirty days went to somebody in the list."""
    counts = connections_since(application, now() - timedelta(days=30))
    strange = sorted(counts.keys() - NAMES)
    if strange:
        return Finding(False, f"Connections went to {', '.join(strange)}, which the list does not have.")
    return Finding(True, f"In 30 days connections went to {len(counts)} recipients, all of them in the list.")


def nothing_was_refused(application: Application) -> Finding:
    """Whether some process tried to connect to somebody else within the last day, and was kept from it."""
    count = refused_since(application, now() - LOOKED_BACK)
    if count:
        return Finding(False, f"{count} connections to somebody else were refused of late; the error log says where.")
    return Finding(True, "No process tried to connect to anybody else within the last day.")


def three_third_parties(_application: Application) -> Finding:
    """Whether the list names just the three third parties, beside the mail that goes to its addressees."""
    listed = {who.value for who in RECIPIENTS} - {Recipient.MAIL.value}
    if listed != {Recipient.STRIPE.value, Recipient.ANTHROPIC.value, Recipient.BUNNY.value}:
        return Finding(False, f"The list of third parties is another: {', '.join(sorted(listed))}.")
    return Finding(True, "The list that connections are held to has Stripe, Anthropic and Bunny Fonts.")


CONTROLS = (
    Control(
        "columns-go-to-the-listed",
        "P06",
        Evidence.STATIC,
        columns_go_to_the_listed,
        "Whatever leaves Pigi goes to a recipient of whom it is said what they get and why.",
        "What recipients do with it; contracts bind them.",
    ),
    Control(
        "connections-went-to-the-listed",
        "P06",
        Evidence.OBSERVED,
        connections_went_to_the_listed,
        "Connections of Pigi's processes, counted by recipient, went to nobody but those in the list.",
        "What browsers, the database's client and the store's client do; their addresses come from settings alone.",
    ),
    Control(
        "three-third-parties",
        "P22",
        Evidence.STATIC,
        three_third_parties,
        "The list of third parties has just the three.",
        "Who runs the servers of the installation, its mail and its stores.",
    ),
    Control(
        "nothing-was-refused",
        "P22",
        Evidence.OBSERVED,
        nothing_was_refused,
        "No process tried to reach anybody else within the last day; a try is refused and counted.",
        "What code that means to get round the guard could do.",
    ),
)
