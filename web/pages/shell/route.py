"""How a page declares itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.http.routes import Response, Route, RouteKind, Who

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.domain.access import Action
    from web.http.replies import Reply

_HTML = Response(200, "The page", media_types=("text/html",))


def page(path: str, view: Callable[..., Reply], who: Who | Action) -> Route:
    """A page: read only, in HTML, outside the API's document."""
    summary = (view.__doc__ or "").partition("\n")[0]
    return Route("GET", path, view, who, RouteKind.PAGE, summary, (_HTML,), problems=("not_found",), documented=False)
