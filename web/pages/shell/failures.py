"""The page in place of one that cannot be shown: the code and words of the API's problem document.

Whoever is signed in keeps the navigation. A failure of Pigi's own is told to nobody in particular, since the database
may be what failed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import current_app, request
from sqlalchemy.exc import SQLAlchemyError

from pigi.domain.reasons import explain
from pigi.errors import PigiError
from pigi.operations.accounts import find_person
from pigi.operations.organisations import closing_organisations
from web.http.auth import SESSION
from web.http.transport import network_of
from web.pages.shell.layout import Shell, draw_in, shell_for

if TYPE_CHECKING:
    from pigi.operations.organisations import ClosingView
    from web.http.context import Services
    from web.http.replies import Reply

OWN_FAILURES = 500
"""The first status that says that Pigi failed, not the request (RFC 9110, section 15.6)."""
# Also of a path that leads nowhere, which has no variables.
_ORGANISATION = re.compile(r"/o/([0-9a-f-]{36})(?:/|\Z)")


def failure_page(
    code: str, status: int, request_id: str, retry_after: str | None = None, detail: str | None = None
) -> Reply:
    """The page of a code, with ``detail`` in place of its advice.

    A member of an organisation that is being deleted reads of that instead, and who can undo it.
    """
    services: Services = current_app.extensions["pigi"]
    shell, closing = _around(services) if status < OWN_FAILURES else (Shell(services.application.settings.fonts), None)
    reason = explain(code)
    words = {
        "code": code,
        "reason": reason,
        "detail": detail or reason.advice,
        "request_id": request_id,
        "retry_after": retry_after,
    }
    return draw_in(shell, "failure.html", status=status, here="", closing=closing, **words)


def _around(services: Services) -> tuple[Shell, ClosingView | None]:
    """The frame for whoever looks, and the organisation that they ask for, if others are deleting it."""
    application, nobody = services.application, Shell(services.application.settings.fonts)
    if SESSION not in request.cookies:
        return nobody, None
    asked = _ORGANISATION.match(request.path)
    own = asked[1] if asked else None
    try:
        with services.permits.held(network_of(request.environ, application.settings.proxies)):
            person = find_person(application, request.cookies[SESSION])
            closing = closing_organisations(application, person) if own else []
            shell = nobody if person.deleting else shell_for(application, person, own)
    except (PigiError, SQLAlchemyError):
        return nobody, None
    return shell, next((one for one in closing if one.id == own), None)
