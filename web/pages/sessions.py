"""Page for signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from web.http.routes import Who
from web.pages.shell.layout import draw, page
from web.pages.shell.query import local_path

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply


def sign_in_page(context: RequestContext) -> Reply:
    """Sign in, then go on to where one wanted to go."""
    return draw(context, "sessions/sign-in.html", next=local_path(request.args.get("next", "")))


ROUTES = (page("/sign-in", sign_in_page, Who.ANYONE),)
