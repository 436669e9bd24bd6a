"""Pages of sessions: signing in, and where one is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.operations.accounts import list_failures, list_sessions
from web.http.routes import Who
from web.pages.shell.layout import draw, page
from web.pages.shell.query import local_path

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply


def sign_in_page(context: RequestContext) -> Reply:
    """Sign in, then go on to where one wanted to go."""
    return draw(context, "sessions/sign-in.html", next=local_path(request.args.get("next", "")))


def sessions_page(context: AccountContext) -> Reply:
    """The browsers in which one is signed in."""
    found = list_sessions(context.application, context.account)
    failures = list_failures(context.application, context.account)
    return draw(context, "sessions/list.html", here="", sessions=found, failures=failures)


ROUTES = (
    page("/sign-in", sign_in_page, Who.ANYONE),
    page("/account/sessions", sessions_page, Who.PERSON, for_deleted=True, without_factor=True),
)
