"""What the server must know of the application before it calls it: its proxies, and how large a body may be where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.exceptions import HTTPException

from web.http.requests import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.routing import Map

    from web.http.routes import Route

SERVING = "pigi.serving"
"""Under which an application's `extensions` hold its `Serving`."""


class Intake(NamedTuple):
    """How a body is taken in: up to so many bytes, or as it comes, by a view that bounds it itself."""

    most_bytes: int = MOST_BYTES
    as_it_comes: bool = False


@dataclass(frozen=True)
class Serving:
    """What is so of an application. ``intake_of`` takes a method and a path."""

    proxies: int = 0
    intake_of: Callable[[str, str], Intake] = lambda _method, _path: Intake()


def intakes(url_map: Map, routes: Iterable[Route]) -> Callable[[str, str], Intake]:
    """`Serving.intake_of` of mounted routes; what has no route is given the usual bound, and is refused later."""
    special = {
        route.endpoint: Intake(route.most_bytes or MOST_BYTES, route.takes_file)
        for route in routes
        if route.takes_file or route.most_bytes
    }
    usual = Intake()
    adapter = url_map.bind("localhost")

    def intake_of(method: str, path: str) -> Intake:
        try:
            endpoint, _arguments = adapter.match(path, method)
        except HTTPException:
            return usual
        return special.get(endpoint, usual)

    return intake_of
