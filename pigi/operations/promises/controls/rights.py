"""Controls of people's rights: what they can have done about their data, and by when they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.mail import MAIL_TEMPLATES, Template
from pigi.domain.processing import STOPS, Use
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.privacy_requests import count_open_requests, overdue_requests

if TYPE_CHECKING:
    from pigi.application import Application

CAN_BE_STOPPED = frozenset(Use) - {Use.SERVICE}


def uses_can_be_stopped(_application: Application) -> Finding:
    """Whether everything that is no part of the service itself can be stopped, and is declared where it happens."""
    stoppable = frozenset().union(*STOPS.values())
    drafting = [kind.name for kind in CATALOGUE.values() if kind.metered and kind.use is not Use.GENERATION]
    warnings = MAIL_TEMPLATES[Template.KEY_EXPIRING].use
    if stoppable != CAN_BE_STOPPED or drafting or warnings is not Use.NOTICES:
        return Finding(False, "Some use of personal data goes on whatever the person says.")
    uses = ", ".join(sorted(stoppable))
    return Finding(True, f"{len(CATALOGUE)} kinds of jobs and {len(MAIL_TEMPLATES)} mails; can be stopped: {uses}.")


def requests_on_time(application: Application) -> Finding:
    """Whether a request waits for its answer longer than it may."""
    late, waiting = overdue_requests(application), count_open_requests(application)
    if late:
        return Finding(False, f"{late} of {waiting} open requests wait longer than they may.")
    return Finding(True, f"{waiting} open, and each has been waiting for less than a month, or than was announced.")


CONTROLS = (
    Control(
        "uses-can-be-stopped",
        "P32",
        Evidence.STATIC,
        uses_can_be_stopped,
        "Generation, statistics and notices each ask whether the person restricted processing or objected.",
        "Whether a request that was written on paper was entered.",
    ),
    Control(
        "requests-answered-in-time",
        "P34",
        Evidence.OBSERVED,
        requests_on_time,
        "No request in the register waits for more than a month, or longer than whoever asked was told.",
        "Mail to the privacy address that nobody entered, and whether an answer is a good one.",
    ),
)
