"""What a browser gets in place of a page that cannot be shown: the code and words of the API's problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from pigi.domain.reasons import explain
from web.pages.shell.layout import plain

if TYPE_CHECKING:
    from web.http.context import Services
    from web.http.replies import Reply


def failure_page(code: str, status: int, request_id: str, retry_after: str | None = None) -> Reply:
    """A page that says what happened and what to do. It asks no database, since that may be what failed."""
    services: Services = current_app.extensions["pigi"]
    return plain(
        services.application.settings.fonts,
        "failure.html",
        status=status,
        code=code,
        reason=explain(code),
        request_id=request_id,
        retry_after=retry_after,
    )
