"""A kind that nobody else knows of, declared here with its operation and its body, does all that a kind can do."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.errors import Permanent
from pigi.ids import new_id
from pigi.jobs.execution.runtime import HANDLERS, job, set_worker_context
from pigi.jobs.kind import Delivery, Kind
from pigi.jobs.kinds import CATALOGUE, register
from pigi.jobs.queueing.celery_app import app as celery
from pigi.jobs.queueing.enqueue import enqueue
from pigi.jobs.recovery.pump import pump
from pigi.operations.api_keys import issue_key
from pigi.operations.generations.generations import LivePiece
from tests.support.factories import make_organisation
from tests.support.http import bearer, read_events
from tests.support.jobs import change, make_worker_context, row_of
from tests.support.people import browser, make_member, make_session
from web.app import create_app

NAME = "poems.write"


@dataclass
class Poems:
    """What the kind is about: a store, an operation on it, and the hooks that its declaration names."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    themes: dict[str, str] = field(default_factory=dict)
    written: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    fails: bool = False

    def write(self, context, _worker_context):
        """The body: a line, a pause in which others may look, and an effect."""
        self.lines[context.subject_id] = [f"A poem of {self.themes[context.subject_id]}."]
        context.progress(1, 2, "writing")
        self.written.set()
        assert self.may_end.wait(60)
        context.checkpoint_now()
        if self.fails:
            raise Permanent("malformed")
        if not context.begin_effect("poem").settled:
            context.complete_effect("poem", None)

    def restore(self, _application, ended, theme):
        self.themes[ended.subject_id] = theme
        ended.check()

    def clean_up(self, _application, ended):
        self.themes.pop(ended.subject_id, None)
        self.lines.pop(ended.subject_id, None)

    def live_text(self, _application, _organisation, subject, after):
        found = enumerate(self.lines.get(subject, []), start=1)
        return [LivePiece(position, 1, text) for position, text in found if position > after]

    def names(self, _application, _caller, subjects):
        return dict.fromkeys(subjects, ("document", "Ode to a queue"))


@pytest.fixture
def poems():
    return Poems()


@pytest.fixture
def kind(poems):
    """The declaration and the body: all that adding a kind takes."""
    made = register(
        Kind(
            NAME,
            queue="export",
            effects={"poem": Delivery.EXACTLY},
            title="Write a poem",
            listed=True,
            changing=Action.JOBS_CHANGE,
            retry_needs="purpose",
            restore=poems.restore,
            cleanup=poems.clean_up,
            result="poems/{}",
            live_text=poems.live_text,
            subjects=poems.names,
        )
    )
    job(made)(poems.write)
    yield made
    celery.tasks.unregister(NAME)
    del HANDLERS[NAME], CATALOGUE[NAME]


@dataclass
class Place:
    """An organisation with a key, a browser's session and a worker."""

    application: object
    app: object
    organisation: str
    headers: dict[str, str]
    kind: Kind
    poems: Poems

    def __post_init__(self):
        self.client = self.app.test_client()
        self.services = self.app.extensions["pigi"]

    def ask(self, theme="spring"):
        subject = new_id()
        self.poems.themes[subject] = theme
        with self.application.control.begin() as session:
            return enqueue(
                session,
                self.application.notifier,
                self.kind,
                organisation_id=self.organisation,
                requested_by="test",
                subject_id=subject,
            )

    def start(self, job_id):
        """Have a child of a worker act on the job's notification, as Celery has it."""
        self.poems.written.clear()
        child = threading.Thread(target=celery.tasks[NAME], args=(job_id,))
        child.start()
        return child

    def end(self, child):
        self.poems.may_end.set()
        child.join(60)
        assert not child.is_alive()
        self.poems.may_end.clear()

    def do(self, job_id):
        self.end(self.start(job_id))

    def get(self, path, **headers):
        return self.client.get(path, headers={**self.headers, **headers})

    def post(self, path, **body):
        return self.client.post(path, headers=self.headers, json=body)

    def row(self, job_id):
        return row_of(self.application.control, job_id)


@pytest.fixture
def place(with_redis, control, tenants, kind, poems):
    set_worker_context(make_worker_context(with_redis))
    app = create_app(with_redis)
    organisation = make_organisation(control, tenants)
    headers = bearer(issue_key(with_redis, organisation, "tests"))
    made = Place(with_redis, app, organisation, headers, kind, poems)
    yield made
    made.services.watcher.close()
    made.services.grant_watcher.close()


def test_it_runs_and_its_text_streams_while_it_is_written(place, poems):
    asked = place.ask()
    child = place.start(asked.id)
    assert poems.written.wait(60)
    # Without a place the stream tells what there is by now, and ends.
    places, place.services.streams.free = place.services.streams.free, 0
    shown = place.get(f"/api/v1/jobs/{asked.id}").json
    events = read_events(place.get(shown["links"]["events"]).get_data(as_text=True))
    place.services.streams.free = places
    place.end(child)
    assert [event.data["text"] for event in events if event.event == "text"] == ["A poem of spring."]
    done = place.get(f"/api/v1/jobs/{asked.id}").json
    assert (done["kind"], done["state"]) == (NAME, "succeeded")
    assert [(effect["key"], effect["state"]) for effect in done["effects"]] == [("poem", "done")]
    assert done["links"]["result"].endswith(f"/poems/{asked.subject_id}")


def test_it_is_listed_with_its_title_on_the_page_and_by_name_in_the_api(place):
    asked = place.ask()
    listed = place.get(f"/api/v1/jobs?kind={NAME}").json["jobs"]
    assert [job["id"] for job in listed] == [asked.id]
    member = make_member(place.application, place.organisation)
    theirs = browser(place.app, make_session(place.application, member))
    page = theirs.get(f"/o/{place.organisation}/jobs?kind={NAME}").get_data(as_text=True)
    assert "Write a poem" in page
    assert "Ode to a queue" in page
    assert asked.id in page


def test_it_is_retried_with_what_it_needs_and_not_without(place, poems):
    asked = place.ask()
    poems.fails = True
    place.do(asked.id)
    assert (place.row(asked.id).state, poems.themes) == ("failed", {})
    retry = place.get(f"/api/v1/jobs/{asked.id}").json["links"]["retry"]
    assert place.post(retry).json["code"] == "purpose_required"
    assert place.post(retry, purpose="autumn").json["state"] == "queued"
    poems.fails = False
    place.do(asked.id)
    assert place.row(asked.id).state == "succeeded"


def test_it_is_cancelled_while_it_waits_and_while_it_runs(place, poems):
    waiting, running = place.ask(), place.ask()
    child = place.start(running.id)
    assert poems.written.wait(60)
    for asked in (waiting, running):
        cancel = place.get(f"/api/v1/jobs/{asked.id}").json["links"]["cancel"]
        assert place.post(cancel).status_code == 202
    place.end(child)
    assert {place.row(asked.id).state for asked in (waiting, running)} == {JobState.CANCELLED}
    assert (poems.themes, poems.lines) == ({}, {})


def test_it_cleans_up_at_its_end_and_later_if_that_failed(place, poems, redis_server):
    asked = place.ask()
    place.do(asked.id)
    assert (poems.themes, poems.lines, place.row(asked.id).cleanup_at) == ({}, {}, None)
    poems.themes[asked.subject_id] = "left over"
    change(place.application.control, asked.id, cleanup_at=asked.created_at)
    redis_server.client.flushall()
    assert pump(place.application.control, place.application.notifier).cleanups == 1
    place.do(asked.id)
    assert (poems.themes, place.row(asked.id).cleanup_at) == ({}, None)
