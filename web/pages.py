"""The landing page and what it needs."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import render_template, request

from pigi.errors import Refused
from pigi.operations.health import readiness
from web.replies import Reply, reply
from web.routes import API, Answer, Kind, Route, Who

if TYPE_CHECKING:
    from web.call import Visit

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
HTML = "text/html; charset=utf-8"


def landing(visit: Visit) -> Reply:
    """What Pigi is, that it runs, and how to ask it for something."""
    page = render_template(
        "landing.html",
        health=readiness(visit.application),
        address=visit.application.settings.public_url.rstrip("/"),
        api=API,
    )
    return reply(page, media_type=HTML)


def static_file(_visit: Visit, name: str) -> Reply:
    """A stylesheet or picture of our own."""
    files = _files()
    if name not in files:
        raise Refused("not_found")
    data, media_type, etag = files[name]
    answer = Reply(data, content_type=media_type)
    answer.set_etag(etag)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.make_conditional(request.environ)
    return answer


@lru_cache(maxsize=1)
def _files() -> dict[str, tuple[bytes, str, str]]:
    """All static files by name: what is not listed here cannot be asked for."""
    found = {}
    for path in STATIC.iterdir():
        if path.suffix in MEDIA_TYPES:
            data = path.read_bytes()
            found[path.name] = (data, MEDIA_TYPES[path.suffix], hashlib.sha256(data).hexdigest()[:16])
    return found


ROUTES = (
    Route(
        "GET", "/", landing, Who.ANYONE, Kind.PAGE, "Landing page",
        (Answer(200, "The page", media_types=("text/html",)),), documented=False,
    ),
    Route(
        "GET", "/static/<name>", static_file, Who.ANYONE, Kind.PAGE, "Stylesheet",
        (Answer(200, "The file", media_types=("text/css",)),), problems=("not_found",), documented=False,
    ),
)  # fmt: skip
