"""Conditional requests (RFC 9110, section 13): what a client knows, and whether it still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.preconditions import Tags, read_tags
from web.http.replies import Reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable


def expected() -> Tags | None:
    """What If-Match lists; None without it. The operation holds it against the row that it changes."""
    return read_tags(request.environ.get("HTTP_IF_MATCH"))


def unless_known(tag: str, text: Callable[[], str]) -> Reply:
    """200 with ``text`` and its entity tag, or 304 if the client knows it (If-None-Match)."""
    known = read_tags(request.environ.get("HTTP_IF_NONE_MATCH"))
    if known is not None and known.match_weakly(tag):
        return Reply(status=304, headers={"ETag": tag, "Cache-Control": "no-store"})
    return reply(text(), ETag=tag)
