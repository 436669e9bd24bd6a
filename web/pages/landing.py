"""The landing page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.health import readiness
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply


def landing_page(context: RequestContext) -> Reply:
    """What Pigi is, whether it is healthy, and how to use its API."""
    address = context.application.settings.public_url.rstrip("/")
    return draw(context, "landing.html", health=readiness(context.application), address=address)


ROUTES = (page("/", landing_page, Who.ANYONE),)
