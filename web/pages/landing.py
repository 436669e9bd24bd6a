"""The landing page: what Pigi is for, a draft as it shows it, how the promises stand now, and what it costs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from pigi.operations.billing import list_offers
from pigi.operations.promises import promises_standing
from web.http.routes import Who
from web.pages.promises import WORDS
from web.pages.shell import sample
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from pigi.application import Application
    from web.http.context import RequestContext
    from web.http.replies import Reply

KEPT_SECONDS = 60.0
SHOWN = ("P14", "P15", "P16", "P13", "P26", "P31")
"""The promises that people ask about first."""


def landing_page(context: RequestContext) -> Reply:
    """What Pigi is, what it shows for it, and how to begin."""
    application = context.application
    live = context.services.kept.get("landing", KEPT_SECONDS, lambda: _live(application))
    return draw(
        context,
        "landing.html",
        address=application.settings.public_url.rstrip("/"),
        charged=application.plans.charged,
        free=application.plans.usual,
        draft=sample.sample(),
        sample=sample,
        words=WORDS,
        **live,
    )


def _live(application: Application) -> dict[str, Any]:
    """What is read from the database; the page is there without it, too."""
    try:
        standings = promises_standing(application)
        offers = list_offers(application)
    except SQLAlchemyError:
        return {"promises": [], "counts": [], "offers": ()}
    counts = Counter(standing.state.value for standing in standings)
    return {
        "promises": [standing for name in SHOWN for standing in standings if standing.id == name],
        "counts": [(state, counts[state]) for state in WORDS if counts[state]],
        "offers": offers,
    }


ROUTES = (page("/", landing_page, Who.ANYONE),)
