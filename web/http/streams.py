"""A job's events over HTTP: server-sent events (WHATWG HTML, section 9.2) that neither gap nor go back.

An open stream holds a thread, so it takes a slot. Without one the client gets a brief stream: all there is
to tell now, and when to come back. Its ``Last-Event-ID`` makes the two indistinguishable but for delay.

A stream outlives the check that let it in. So whether its client may still follow is watched too, each second,
and nothing is sent once they may not: they left or were removed, signed out, or their key was revoked.

How far a client has come is its cursor, ``timeline.revision.text``: moves sent, the revision whose progress (or
end) was sent, and the position of the last piece of text sent. Compared part by part it only grows, and it is the
``id`` of every event.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import request

from pigi.domain.access import Action
from pigi.jobs.kind import hook
from pigi.jobs.kinds import kind_of
from pigi.operations.jobs import read_job
from web.http import logs
from web.http.replies import Reply, as_json, entry, job_text, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pigi.jobs.model.view import JobView
    from pigi.operations.access import AccessGrant
    from pigi.operations.generations import LivePiece
    from web.http.budget import Slot
    from web.http.context import OrganisationContext
    from web.http.watcher import Watch

KEEP_ALIVE_SECONDS = 15.0
"""Longest silence, so that proxies keep the connection and a client that is gone is noticed."""
LONGEST_SECONDS = 240.0
"""Age at which a stream asks its client to come back, give or take a fifth, so that deploys drain."""
TEXT_SECONDS = 0.25
"""Between looks for live text, which changes no revision; longer once more than `TEXT_STREAMS` look."""
TEXT_STREAMS = 20
FOLLOWING = Action.JOBS_READ
GRANTED = 1
"""The revision of somebody who may still follow; whoever may not has none."""
GRANTED_SECONDS = 1.0
"""Between looks at who may still follow, and the longest that a stream sleeps."""
STALE_SECONDS = 3.0
"""Age of the last such look after which nothing is sent: the client comes back, and is authorised anew."""
RETRY_SOON_MS = 500
RETRY_BRIEF_MS = 2000

ANEW = "retried_by_hand"
"""The move at which the text of an ended run is gone and positions count from 1 again."""

_FORM = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})\Z")

EVENTS = """Events: `move` (a line of the timeline), `progress` (done, total, note, cancel_requested),
`text` (a piece of a draft while it streams: turn, position, text; a new turn starts the text over) and
`end` (the job, after which the stream closes). Every event has an `id`; send it as `Last-Event-ID` to go on
after it. A stream may close early: reconnect after its `retry`. 204 means that the end was sent."""


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
    """Whether the client has been sent the end of the job."""
    return cursor is not None and job.ended and cursor.revision == _revision(job)


def pending(cursor: Cursor, job: JobView, pieces: Sequence[LivePiece]) -> Iterator[Event]:
    """What a client at ``cursor`` has not been sent yet of the job and its text, in order."""
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


def sent_position(cursor: Cursor, job: JobView) -> int:
    """The position from which text is still to be sent: a retry by hand starts a new text at the beginning."""
    anew = any(line.reason == ANEW for line in job.timeline[cursor.moves :])
    return 0 if anew else cursor.text


def _moves(cursor: Cursor, job: JobView) -> Iterator[Event]:
    for line in job.timeline[cursor.moves :]:
        text = 0 if line.reason == ANEW else cursor.text
        cursor = replace(cursor, moves=line.number, text=text)
        yield Event(cursor, "move", as_json(entry(line)))


def _progress(cursor: Cursor, job: JobView) -> Iterator[Event]:
    shown = progress(job)
    if cursor.revision < job.revision and (shown or job.cancel_requested):
        data: dict[str, Any] = {**(shown or {"done": None, "total": None, "note": None})}
        data["cancel_requested"] = job.cancel_requested
        yield Event(replace(cursor, revision=job.revision), "progress", as_json(data))


def _texts(cursor: Cursor, pieces: Iterable[LivePiece]) -> Iterator[Event]:
    for piece in pieces:
        if piece.position > cursor.text:
            data = {"turn": piece.turn, "position": piece.position, "text": piece.text}
            yield Event(replace(cursor, text=piece.position), "text", as_json(data))


def stream(context: OrganisationContext, job: JobView) -> Reply:
    """The job's events from where the client left off, to its end if a place is free for so long."""
    cursor = read_cursor(request.headers.get("Last-Event-ID"), job)
    if knows_the_end(cursor, job):
        return Reply(status=204, headers={"Cache-Control": "no-store"})
    place = None if job.ended else context.services.streams.take(context.network)
    follower = Follower(context, job, cursor)
    if place is None:
        # Whole, or a client that does not read would hold a thread without a slot.
        events: Any = b"".join(_guarded(context, follower.brief(), None))
    else:
        events = _guarded(context, follower.follow(), place)
    answer = Reply(events, content_type="text/event-stream")
    answer.headers.extend({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    if place is not None:
        # A client may be gone before the first event is asked for, and then no generator ever runs its end.
        answer.call_on_close(place.give_back)
    return answer


def _guarded(context: OrganisationContext, events: Iterator[bytes], place: Slot | None) -> Iterator[bytes]:
    """The events; on any failure the stream ends and the client comes back to where it was."""
    try:
        yield from events
    except Exception as error:  # noqa: BLE001 - the status is long sent: all that is left is to end well
        logs.failure(context.facts, error)
        yield _retry(RETRY_BRIEF_MS)
    finally:
        if place is not None:
            place.give_back()


def _retry(milliseconds: int) -> bytes:
    return f"retry: {milliseconds}\n\n".encode()


def _is_sure(grant_watch: Watch[AccessGrant]) -> bool:
    """Whether the client could follow when last looked, and that was just now."""
    return not grant_watch.stirred.is_set() and time.monotonic() - grant_watch.looked_at < STALE_SECONDS


class Follower:
    """One client on its way through a job's events."""

    def __init__(self, context: OrganisationContext, job: JobView, cursor: Cursor | None) -> None:
        self._context = context
        # Events are made when the request itself is over.
        self._network = context.network
        self._job = job
        self._cursor = cursor or Cursor()
        self._resumed = cursor is not None
        self._live_text = kind_of(job.kind).live_text if job.subject_id is not None and not job.ended else None

    def brief(self) -> Iterator[bytes]:
        """All there is to tell now."""
        yield _retry(RETRY_BRIEF_MS)
        yield from self._tell()

    def follow(self) -> Iterator[bytes]:
        """All there is and all that comes, until the job ends or the stream is old."""
        yield _retry(RETRY_SOON_MS)
        until = time.monotonic() + LONGEST_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - spreads reconnections
        services = self._context.services
        with (
            services.watcher.watch(self._job.id, self._job.revision) as watch,
            services.grant_watcher.watch(self._context.grant, GRANTED) as grant_watch,
        ):
            silent_since = time.monotonic()
            while _is_sure(grant_watch):
                for event in self._tell():
                    if not _is_sure(grant_watch):
                        break
                    silent_since = time.monotonic()
                    yield event
                if self._job.ended or time.monotonic() > until:
                    return
                if time.monotonic() - silent_since >= KEEP_ALIVE_SECONDS:
                    silent_since = time.monotonic()
                    yield b":\n\n"
                if watch.wait(self._wait_timeout(silent_since)) and _is_sure(grant_watch):
                    self._job = self._read()
                    watch.catch_up(self._job.revision)
            yield _retry(RETRY_BRIEF_MS)

    def _wait_timeout(self, silent_since: float) -> float:
        if self._live_text and self._job.state == "running":
            return TEXT_SECONDS * max(1.0, self._context.services.streams.taken / TEXT_STREAMS)
        return min(GRANTED_SECONDS, max(0.0, silent_since + KEEP_ALIVE_SECONDS - time.monotonic()))

    def _read(self) -> JobView:
        with self._context.services.waiter_reads.held(self._network):
            context = self._context
            return read_job(
                context.application, self._job.id, context.caller.organisation_id, deletion=context.deletion
            )

    def _tell(self) -> Iterator[bytes]:
        pieces = self._pieces()
        for event in pending(self._cursor, self._job, pieces):
            self._cursor = event.cursor
            yield event.encode()

    def _pieces(self) -> list[LivePiece]:
        if not self._live_text or self._job.state == "queued":
            return []
        position = sent_position(self._cursor, self._job)
        if not self._resumed or position == 0:
            return self._text_after(position)
        # The first look of a client that came back also sees whether what it was sent last is really there:
        # if not, its position is not of this text, and it hears the text from the beginning.
        self._resumed = False
        pieces = self._text_after(position - 1)
        if pieces and pieces[0].position == position:
            return pieces[1:]
        self._cursor = Cursor(self._cursor.moves, self._cursor.revision)
        return self._text_after(0)

    def _text_after(self, position: int) -> list[LivePiece]:
        context = self._context
        with context.services.waiter_reads.held(self._network):
            pieces: list[LivePiece] = hook(self._live_text)(
                context.application, context.caller.organisation_id, self._job.subject_id, position
            )
        return pieces
