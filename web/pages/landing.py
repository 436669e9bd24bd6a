"""The landing page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.health import readiness
from web.pages.route import page
from web.pages.shell import draw
from web.routes import Who

if TYPE_CHECKING:
    from web.call import Visit
    from web.replies import Reply


def landing_page(visit: Visit) -> Reply:
    """What Pigi is, that it runs, and how to ask it for something."""
    address = visit.application.settings.public_url.rstrip("/")
    return draw(visit, "landing.html", health=readiness(visit.application), address=address)


ROUTES = (page("/", landing_page, Who.ANYONE),)
