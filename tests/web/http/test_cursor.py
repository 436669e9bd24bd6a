"""Cursors, for any life of a job and any cut: nothing is missed, nothing is told twice, nothing goes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pigi.clock import now
from pigi.domain.job_state import Entry
from pigi.ids import new_id
from pigi.jobs.model.view import JobView
from pigi.operations.generations import LivePiece
from web.http.streams import ANEW, Cursor, Event, knows_the_end, pending, read_cursor, sent_position

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

ENDS = ("succeeded", "failed", "cancelled")
JOB = JobView(
    id=new_id(),
    kind="generations.draft",
    organisation_id=new_id(),
    subject_id=new_id(),
    state="queued",
    reason=None,
    created_at=now(),
    due_at=None,
    started_at=None,
    finished_at=None,
    attempt=0,
    failures=0,
    cancel_requested=False,
    progress_done=None,
    progress_total=None,
    progress_note=None,
    revision=1,
    timeline=(),
)
Life = list[tuple[JobView, list[LivePiece]]]


def moved(job: JobView, state: str, reason: str | None = None) -> JobView:
    """The job one move later."""
    line = Entry(len(job.timeline) + 1, "2026-01-01T00:00:00.000000Z", state, job.attempt, reason)
    return replace(job, state=state, revision=job.revision + 1, timeline=(*job.timeline, line))


@st.composite
def lives(draw: DrawFn) -> Life:
    """What a poller could see of a job that runs, writes, fails, is retried by hand, and ends."""
    job, pieces, seen = (
        moved(replace(JOB, revision=0), "queued"),
        list[LivePiece](),
        list[tuple[JobView, list[LivePiece]]](),
    )
    for run in range(draw(st.integers(1, 2))):
        if run:
            job, pieces = moved(job, "queued", ANEW), []
            seen.append((job, pieces))
        job = moved(job, "running")
        for _ in range(draw(st.integers(0, 4))):
            if draw(st.booleans()):
                job = replace(job, revision=job.revision + 1, progress_done=job.revision)
            else:
                pieces = [*pieces, LivePiece(len(pieces) + 1, run, f"{run}-{len(pieces)}")]
            seen.append((job, pieces))
        job = moved(job, draw(st.sampled_from(ENDS)))
        seen.append((job, pieces))
    return seen


def told(cursor: Cursor, job: JobView, pieces: list[LivePiece]) -> list[Event]:
    """What a stream at ``cursor`` tells of one look."""
    after = sent_position(cursor, job)
    return list(pending(cursor, job, [piece for piece in pieces if piece.position > after]))


def follow(life: Life, cursor: Cursor, begin: int = 0) -> list[Event]:
    """What a stream tells from one look on to the last."""
    events: list[Event] = []
    for job, pieces in life[begin:]:
        events += told(events[-1].cursor if events else cursor, job, pieces)
    return events


@given(lives(), st.data())
def test_a_client_that_is_cut_off_anywhere_hears_all_of_it_once(life: Life, data: st.DataObject) -> None:
    whole = follow(life, Cursor())
    cut = data.draw(st.integers(0, len(whole)))
    last = whole[cut - 1].cursor if cut else None
    look = next(i for i in range(len(life)) if len(follow(life[: i + 1], Cursor())) >= cut)

    resumed = read_cursor(str(last) if last else None, life[look][0])
    assert resumed == last
    assert whole[:cut] + follow(life, resumed or Cursor(), look) == whole


@given(lives())
def test_ids_only_grow(life: Life) -> None:
    cursors = [event.cursor for event in follow(life, Cursor())]

    assert cursors == sorted(set(cursors))


@given(lives())
def test_the_end_is_told_once(life: Life) -> None:
    job, pieces = life[-1]
    events = follow(life, Cursor())

    assert events[-1].name == "end"
    assert knows_the_end(events[-1].cursor, job)
    assert not any(knows_the_end(event.cursor, job) for event in events[:-1])
    assert told(events[-1].cursor, job, pieces) == []


@given(lives(), st.integers(0, 2))
def test_a_client_that_was_away_hears_every_move_and_the_newest_text(life: Life, skip: int) -> None:
    thinned = life[:: skip + 1] + life[-1:]
    moves = [event.data for event in follow(thinned, Cursor()) if event.name == "move"]

    assert len(moves) == len(life[-1][0].timeline)


@given(st.text(max_size=20))
def test_rubbish_starts_from_the_beginning(header: str) -> None:
    found = read_cursor(header, JOB)

    assert found is None or str(found) == header


def test_a_buried_job_ends_at_once_and_once() -> None:
    buried = replace(JOB, state="succeeded", revision=0, buried=True)
    (event,) = pending(Cursor(), buried, [])

    assert event.name == "end"
    assert knows_the_end(read_cursor(str(event.cursor), buried), buried)
    assert read_cursor("3.7.2", buried) is None
