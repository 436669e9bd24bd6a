"""Files over HTTP: whole or in ranges (RFC 9110, sections 13 and 14), streamed from the files store piece by piece.

A slow client holds a thread and nothing else: no permit, no connection, and no more than a piece of the file. It has
a slot, of which there are fewer than threads, and half an hour; whoever needs longer goes on with a range.
"""

from __future__ import annotations

import re
import time
from itertools import chain
from typing import TYPE_CHECKING

from flask import request

from pigi.domain.preconditions import read_tags
from pigi.errors import Refused, Temporary
from web.http import logs
from web.http.replies import Reply, problem
from web.http.routes import ResponseSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.operations.exports import ExportFile
    from web.http.budget import Slot
    from web.http.context import RequestContext

LONGEST_SECONDS = 1800.0
"""Age at which a download is cut off, to be taken up with a range."""
LOOK_SECONDS = 5.0
"""Between looks at whether the file may still be given out."""
_RANGE = re.compile(r"[Bb][Yy][Tt][Ee][Ss]=([0-9]{0,19})-([0-9]{0,19})")

DOWNLOAD_HEADERS = ("ETag", "Accept-Ranges", "Content-Disposition")
DOWNLOAD_ACCEPTS = ("Range", "If-Range", "If-None-Match")
DOWNLOAD_PROBLEMS = (
    "export_not_ready",
    "export_failed",
    "export_expired",
    "range_unsatisfiable",
    "too_many_downloads",
    "invalid",
)


def download_responses(*media_types: str) -> tuple[ResponseSpec, ...]:
    """The good responses of a route that ends in `serve`."""
    return (
        ResponseSpec(200, "The file", media_types=media_types, headers=DOWNLOAD_HEADERS),
        ResponseSpec(206, "A part of the file", media_types=media_types, headers=(*DOWNLOAD_HEADERS, "Content-Range")),
        ResponseSpec(304, "The client has this file", media_types=(), headers=("ETag", "Accept-Ranges")),
    )


def serve(context: RequestContext, file: ExportFile) -> Reply:
    """The file, or the range of it that is asked for.

    Raises Refused ``too_many_downloads``; FilesAwayError before anything is sent.
    """
    tag = f'"{file.sha256}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
    known = read_tags(request.environ.get("HTTP_IF_NONE_MATCH"))
    if known is not None and known.match_weakly(tag):
        return Reply(status=304, headers=headers)
    asked = _asked_for(tag, file.size)
    if asked is not None and not asked:
        refusal = problem("range_unsatisfiable", 416, context.facts.request_id, {})
        refusal.headers.extend({**headers, "Content-Range": f"bytes */{file.size}"})
        return refusal
    part = range(file.size) if asked is None else asked
    headers |= {
        "Content-Type": file.media_type,
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Content-Length": str(len(part)),
    }
    if asked is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
    answer = Reply(status=200 if asked is None else 206, headers=headers)
    return answer if request.method == "HEAD" else _stream(context, file, part, answer)


def _asked_for(tag: str, size: int) -> range | None:
    """The range that is asked for, empty if the file has nothing of it; None for the whole file.

    What is not a single range of bytes is ignored, as the standard allows; so is a range of another file (If-Range),
    and one that comes with a method for which the standard defines none.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or match[1] == match[2] == "" or request.headers.get("If-Range", tag) != tag:
        return None
    if request.method != "GET":
        return None
    if not match[1]:
        return range(max(size - int(match[2]), 0), size)
    first, last = int(match[1]), int(match[2] or size)
    return None if match[2] and last < first else range(first, min(last + 1, size))


def _stream(context: RequestContext, file: ExportFile, part: range, answer: Reply) -> Reply:
    slot = context.services.downloads.take(context.network)
    if slot is None:
        raise Refused("too_many_downloads")
    pieces = file.read(part.start, len(part))
    try:
        # What cannot be read at all is still a problem document.
        first = next(pieces, b"")
    except BaseException:
        slot.give_back()
        raise
    answer.response = _guarded(context, context.network, file, chain((first,), pieces), slot)
    # A client may be gone before the first piece is asked for, and then no generator ever runs its end.
    answer.call_on_close(slot.give_back)
    return answer


def _guarded(
    context: RequestContext, network: str, file: ExportFile, pieces: Iterator[bytes], slot: Slot
) -> Iterator[bytes]:
    """The pieces. When one fails, or the file may be given out no longer, the client gets less than was announced."""
    looked = began = time.monotonic()
    try:
        for piece in pieces:
            yield piece
            moment = time.monotonic()
            if moment - began > LONGEST_SECONDS:
                return
            if moment - looked > LOOK_SECONDS:
                looked = moment
                with context.services.waiter_reads.held(network):
                    if not file.is_served():
                        return
    except Temporary as error:
        logs.failure(context.facts, error)
    finally:
        slot.give_back()
