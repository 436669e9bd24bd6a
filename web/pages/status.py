"""The page that says whether Pigi works, part by part, and when it did not: for everybody, in nobody's internals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.operations.health import read_interruptions, readiness
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.operations.health import Interruptions, Readiness
    from web.http.context import RequestContext
    from web.http.replies import Reply

KEPT_SECONDS = 15.0
PARTS = {
    "database": ("Reading and saving", "Accounts, organisations and everything in them"),
    "queue ai": ("Drafts with AI", "What people ask to be generated"),
    "model provider": ("The model", "Anthropic, which writes the drafts; only whoever runs Pigi can mend a refusal"),
    "queue mail": ("Mail", "Invitations, confirmations and notices"),
    "queue billing": ("Payments", "Ways to Stripe and back"),
    "queue export": ("Exports and imports", "Files that are made and read"),
    "queue control": ("Checks", "Promises and this page"),
    "queue upkeep": ("Upkeep", "Clearing away what is over its period"),
    "pump": ("Recovery", "Takes up again whatever was interrupted"),
    "redis": ("Quick starts", "Without it jobs begin a little later"),
    "deletions": ("Deletions on time", "What was deleted is gone when it was promised"),
}
"""Each part of `readiness` in words: its title, and what people have of it."""


@dataclass(frozen=True)
class Status:
    """What the page shows: how all parts are, as of a moment, and when Pigi stood still of late, if that is known."""

    looked_at: datetime
    health: Readiness
    history: Interruptions | None


def status_page(context: RequestContext) -> Reply:
    """Whether everything works, part by part, and when something did not."""
    status = context.services.kept.get("status", KEPT_SECONDS, lambda: _look(context.application))
    return draw(context, "status.html", now=status, parts=PARTS)


def _look(application: Application) -> Status:
    health = readiness(application)
    try:
        history = read_interruptions(application)
    except SQLAlchemyError:
        history = None
    return Status(now(), health, history)


ROUTES = (page("/status", status_page, Who.ANYONE),)
