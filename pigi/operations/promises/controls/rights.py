"""Controls of people's rights: what they can have done about their data, and by when they are answered."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, select

from pigi.clock import now
from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.job_state import JobState
from pigi.domain.mail import MAIL_TEMPLATES, Template
from pigi.domain.processing import STOPS, Use
from pigi.jobs.kinds import CATALOGUE, FOLLOW_CONTACT
from pigi.jobs.model.transitions import JOB
from pigi.operations.privacy_requests import count_open_requests, overdue_requests
from pigi.operations.promises.canary import NAME, resident, signed_in
from pigi.operations.promises.visits import Visitor, forget_visits
from pigi.store.billing import BillingRun

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.promises.canary import Canary

CAN_BE_STOPPED = frozenset(Use) - {Use.SERVICE}
ME, SETTINGS = "/api/v1/me", "/account"
CORRECTED = "Canary, corrected"
FIELD = re.compile(r"""<input\b[^>]*\bname="(\w+)""")
REFUSED = 400
TRIES = 3
"""Another run of the same probe, by hand beside the schedule, may change the name between this one's requests."""
FOLLOWED_WITHIN = FOLLOW_CONTACT.retry_window + timedelta(hours=1)
RUN: Any = BillingRun.__table__


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


def name_and_address_corrected(application: Application) -> Finding:
    """Whether the account's page has fields for both, a new name is there at once, and an address asks who it is."""
    forget_visits(application)
    canary = resident(application)
    with signed_in(application, canary) as token:
        visitor = Visitor.of(application, token)
        fields = set(FIELD.findall(visitor.ask("GET", SETTINGS).text))
        unproved = visitor.ask("PATCH", ME, {"email": f"new-{canary.address}"}).status
        corrected = any(_corrects(visitor, canary) for _try in range(TRIES))
    missing = {"name", "email"} - fields
    if missing or not corrected:
        return Finding(
            False, f"Fields missing: {', '.join(sorted(missing)) or 'none'}. A new name was not there to read."
        )
    if unproved < REFUSED:
        return Finding(False, f"A new address was taken without the password: {unproved}.")
    return Finding(True, "The page has both fields; the canary's new name was there at once, and its old one again.")


def _corrects(visitor: Visitor, canary: Canary) -> bool:
    visitor.ask("PATCH", ME, {"name": CORRECTED})
    read = visitor.ask("GET", ME).json.get("name")
    visitor.ask("PATCH", ME, {"name": NAME})
    again = visitor.ask("GET", ME).json
    return (read, again.get("name"), again.get("email")) == (CORRECTED, NAME, canary.address)


def stripe_told(application: Application) -> Finding:
    """Whether Stripe was not told of a change in time, and no comparison has made up for it."""
    made_up = exists().where(RUN.c.ended_at.is_not(None), RUN.c.began_at > JOB.c.finished_at)
    failed = (JOB.c.state == JobState.FAILED.value) & ~made_up
    waiting = JOB.c.finished_at.is_(None) & (JOB.c.created_at < now() - FOLLOWED_WITHIN)
    late = select(func.count()).select_from(JOB).where(JOB.c.kind == bindparam("kind"), failed | waiting)
    with application.control.autocommit() as connection:
        count = int(connection.execute(late, {"kind": FOLLOW_CONTACT.name}).scalar_one())
    if count:
        return Finding(False, f"Stripe was not told of {count} changes, and nothing has made up for it yet.")
    return Finding(True, "Stripe was told of every change of a name or an address that it has, or is being told.")


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
    Control(
        "account-corrected",
        "P29",
        Evidence.SYNTHETIC,
        name_and_address_corrected,
        "Whoever is signed in finds fields for name and address, and a changed name is there to be read at once.",
        "That the mail which confirms a new address arrives; tests change one from end to end.",
    ),
    Control(
        "stripe-told-of-corrections",
        "P29",
        Evidence.OBSERVED,
        stripe_told,
        "Every change of what Stripe has of a customer was written there, or is being tried, for hours at most.",
        "Invoices that Stripe had issued before.",
    ),
)
