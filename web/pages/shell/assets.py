"""Stylesheets, scripts, pictures and fonts, each requested under the hash of them all, so it may be kept for ever."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import request

from pigi.errors import Refused
from web.http.packing import pack
from web.http.replies import Reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who

if TYPE_CHECKING:
    from web.http.context import RequestContext

STATIC = Path(__file__).parents[2] / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
KEPT = "public, max-age=31536000, immutable"
SMALLEST = 9
"""Of zlib: assets are packed once a process."""
LOOKED_AFTER = "public, max-age=300"

# Scripts import one another by relative paths, so one hash for all stands in front of the name.
_VERSIONED = re.compile(r"v-([0-9a-f]{16})/(.+)")


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    data: bytes
    media_type: str
    etag: str
    packed: bytes


def asset_path(name: str) -> str:
    """Where a file is fetched; raises KeyError if there is no such file."""
    files, version = _files()
    files[name]
    return f"/static/v-{version}/{name}"


def static_file(_context: RequestContext, name: str) -> Reply:
    """A stylesheet, script, picture or font of our own."""
    files, version = _files()
    match = _VERSIONED.fullmatch(name)
    asset = files.get(match[2] if match else name)
    if asset is None:
        raise Refused("not_found")
    answer = Reply(asset.data, content_type=asset.media_type)
    answer.packed = asset.packed
    answer.set_etag(asset.etag)
    # During a deploy a page of one release may ask another release for its file: not to be kept under that name.
    answer.headers["Cache-Control"] = KEPT if match and match[1] == version else LOOKED_AFTER
    answer.make_conditional(request.environ)
    return answer


@lru_cache(maxsize=1)
def _files() -> tuple[dict[str, Asset], str]:
    """All files by name, and the hash of them all: what is not listed here cannot be requested."""
    found, whole = {}, hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in MEDIA_TYPES:
            data, name = path.read_bytes(), path.relative_to(STATIC).as_posix()
            digest = hashlib.sha256(data).hexdigest()
            found[name] = Asset(data, MEDIA_TYPES[path.suffix], digest[:16], pack(data, SMALLEST))
            whole.update(f"{name} {digest}\n".encode())
    return found, whole.hexdigest()[:16]


ROUTES = (
    Route(
        "GET", "/static/<path:name>", static_file, Who.ANYONE, RouteKind.PAGE, "Stylesheet or script",
        (ResponseSpec(200, "The file", media_types=("text/css",)),), problems=("not_found",), documented=False,
    ),
)  # fmt: skip
