"""How far a client has come in a job's events, and what is still to be told: pure functions.

A cursor is ``timeline.revision.text``: moves told, the revision whose progress (or end) was told, and the
position of the last piece of text told. Compared part by part it only grows, and it is the ``id`` of every
event, so that a client that comes back with ``Last-Event-ID`` misses nothing and hears nothing twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from web.http.replies import as_json, entry, job_text, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pigi.jobs.model.view import JobView
    from pigi.operations.generations import LivePiece

ANEW = "retried_by_hand"
"""The move at which the text of an ended run is gone and positions count from 1 again."""

_FORM = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})\Z")


@dataclass(frozen=True, order=True)
class Cursor:
    """A place in a job's events."""

    moves: int = 0
    revision: int = 0
    text: int = 0

    def __str__(self) -> str:
        return f"{self.moves}.{self.revision}.{self.text}"


@dataclass(frozen=True)
class Event:
    """One server-sent event, with the cursor of whoever has received it."""

    cursor: Cursor
    name: str
    data: str

    def encode(self) -> bytes:
        """The event on the wire; its data is JSON and so has no line breaks (WHATWG HTML, section 9.2)."""
        return f"id: {self.cursor}\nevent: {self.name}\ndata: {self.data}\n\n".encode("utf-8", "replace")


def read_cursor(header: str | None, job: JobView) -> Cursor | None:
    """Where the client left off; None for a new client, and for an id that this job never gave."""
    match = _FORM.match(header or "")
    if match is None:
        return None
    cursor = Cursor(*map(int, match.groups()))
    ahead = cursor.moves > len(job.timeline) or cursor.revision > _revision(job)
    return None if ahead else cursor


def knows_the_end(cursor: Cursor | None, job: JobView) -> bool:
    """Whether the client has been told that the job ended."""
    return cursor is not None and job.ended and cursor.revision == _revision(job)


def pending(cursor: Cursor, job: JobView, pieces: Sequence[LivePiece]) -> Iterator[Event]:
    """What a client at ``cursor`` has not been told of the job and its text, in order."""
    for event in _moves(cursor, job):
        yield event
        cursor = event.cursor
    if not job.ended:
        for event in _progress(cursor, job):
            yield event
            cursor = event.cursor
    for event in _texts(cursor, pieces):
        yield event
        cursor = event.cursor
    if job.ended and cursor.revision < _revision(job):
        yield Event(replace(cursor, revision=_revision(job)), "end", job_text(job))


def _revision(job: JobView) -> int:
    # A buried job counts none, yet its end must have a place after the beginning.
    return max(job.revision, 1)


def text_told(cursor: Cursor, job: JobView) -> int:
    """The position from which text is still to be told: a retry by hand starts a new text at the beginning."""
    anew = any(line.reason == ANEW for line in job.timeline[cursor.moves :])
    return 0 if anew else cursor.text


def _moves(cursor: Cursor, job: JobView) -> Iterator[Event]:
    for line in job.timeline[cursor.moves :]:
        text = 0 if line.reason == ANEW else cursor.text
        cursor = replace(cursor, moves=line.number, text=text)
        yield Event(cursor, "move", as_json(entry(line)))


def _progress(cursor: Cursor, job: JobView) -> Iterator[Event]:
    told = progress(job)
    if cursor.revision < job.revision and (told or job.cancel_requested):
        data: dict[str, Any] = {**(told or {"done": None, "total": None, "note": None})}
        data["cancel_requested"] = job.cancel_requested
        yield Event(replace(cursor, revision=job.revision), "progress", as_json(data))


def _texts(cursor: Cursor, pieces: Iterable[LivePiece]) -> Iterator[Event]:
    for piece in pieces:
        if piece.position > cursor.text:
            data = {"turn": piece.turn, "position": piece.position, "text": piece.text}
            yield Event(replace(cursor, text=piece.position), "text", as_json(data))
