"""Cancelling while the provider is silent: the job ends though the provider does nothing further."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice

import pytest

from pigi.gateways.anthropic_model import AnthropicModel, CallLimits
from pigi.jobs.execution.attempt import run
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.operations.generations import request_generation
from pigi.operations.jobs import cancel_job
from standins.anthropic.faults import FaultyAnthropic
from standins.anthropic.messages import Reply, reply_to
from tasks.generations import write_draft
from tests.support.jobs import Outside, caller_of, effects, generation_row, handle, make_worker_context, row_of

PATIENT = CallLimits(connect=3600.0, read=3600.0, overall=3600.0)
"""Nothing but a cancel ends a silence."""


@pytest.fixture(autouse=True)
def every_call_ends():
    """No thread outlives its connection."""
    yield
    for thread in threading.enumerate():
        if thread.name == "anthropic-call":
            thread.join()


class Silence:
    """A behaviour that goes silent after so many events, until the client hangs up."""

    def __init__(self, events: int | None) -> None:
        """``events`` None means that not even the headers come."""
        self.events = events
        self.begun, self.left = threading.Event(), threading.Event()

    def __call__(self, _server, handler, request):
        if self.events is not None:
            handler.begin_stream()
            for event in islice(reply_to(request_body(request)).events(), self.events):
                handler.send_event(event)
        self.begun.set()
        with suppress(OSError):
            assert handler.connection.recv(1) == b""
        self.left.set()
        handler.close_connection = True


def request_body(request):
    return json.loads(request.body)


@contextmanager
def working(application, organisation, url):
    """A generation that a worker drafts in a thread, with the real gateway at ``url``; its job's id."""
    model = AnthropicModel(url, "key", "claude-sonnet-5-5", PATIENT)
    worker_context = replace(make_worker_context(application), gateways=Outside(model))
    job = request_generation(application, caller_of(organisation), "agent", "reviewer", "Reviews.").id
    worker = threading.Thread(target=run, args=(handle(GENERATE_DRAFT, write_draft), job, worker_context))
    worker.start()
    try:
        yield job
        worker.join()
    finally:
        model.close()


def assert_cancelled(application, organisation, job):
    row = row_of(application.control, job)
    assert (row.state, row.reason, row.cleanup_at) == ("cancelled", "cancelled", None)
    assert generation_row(application, organisation, row.subject_id) is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("events", [None, 0, 6], ids=["before the first byte", "after the headers", "in mid-stream"])
def test_a_cancel_hangs_up_on_a_silent_provider(application, organisation, events):
    silence = Silence(events)
    with FaultyAnthropic([silence]) as server, working(application, organisation, server.url) as job:
        silence.begun.wait()
        cancel_job(application, job, organisation)
        silence.left.wait()
    assert len(server.requests) == 1
    assert_cancelled(application, organisation, job)
    assert effects(application.control, job)["model:1"].state == "unknown"


@pytest.mark.timeout(60)
def test_a_cancel_between_two_turns_asks_the_provider_nothing_more(application, organisation):
    jobs = []

    def bad_answer(_server, handler, request):
        events = list(Reply(request_body(request)["model"], "no draft at all").events())
        handler.begin_stream()
        for event in events[:-1]:
            handler.send_event(event)
        begun.wait()
        cancel_job(application, jobs[0], organisation)
        handler.send_event(events[-1])
        handler.send_chunk(b"")

    begun = threading.Event()
    with FaultyAnthropic([bad_answer]) as server, working(application, organisation, server.url) as job:
        jobs.append(job)
        begun.set()
    assert len(server.requests) == 1
    assert_cancelled(application, organisation, job)


@pytest.mark.timeout(60)
def test_a_cancel_while_connecting_sends_nothing(application, organisation, monkeypatch):
    connecting = threading.Event()
    connect = socket.create_connection

    def announced(*arguments, **options):
        connecting.set()
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", announced)
    with full() as (url, listener):
        with working(application, organisation, url) as job:
            connecting.wait()
            cancel_job(application, job, organisation)
        assert_cancelled(application, organisation, job)
        assert waiting_bytes(listener) == []


@contextmanager
def full():
    """An address at which nobody accepts, and whose queue is full, so that connecting gets no answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            with suppress(BlockingIOError):
                other.connect(address)
        try:
            yield f"http://127.0.0.1:{address[1]}", listener
        finally:
            for other in others:
                other.close()


def waiting_bytes(listener):
    """What those sent who got into the queue."""
    listener.settimeout(0.2)
    sent = []
    with suppress(TimeoutError):
        while True:
            found, _ = listener.accept()
            with found, suppress(BlockingIOError, ConnectionError):
                found.setblocking(False)
                sent.append(found.recv(1))
    return [data for data in sent if data]
