"""The landing page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.health import readiness
from web.http.routes import Who
from web.pages.shell.layout import draw
from web.pages.shell.route import page

if TYPE_CHECKING:
    from web.http.call import Visit
    from web.http.replies import Reply


def landing_page(visit: Visit) -> Reply:
    """What Pigi is, that it runs, and how to ask it for something."""
    address = visit.application.settings.public_url.rstrip("/")
    return draw(visit, "landing.html", health=readiness(visit.application), address=address)


ROUTES = (page("/", landing_page, Who.ANYONE),)
