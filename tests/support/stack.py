"""A whole Pigi for a drill: a real Redis, a stand-in that obeys the drill, real workers, a real beat.

Everything listens on unix sockets and loopback, logs into the installation's folder, and ends with the block,
also when the drill fails. Every wait looks again and again until a deadline.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import psutil
import redis
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from pigi.application import Application
from pigi.domain.access import Caller
from pigi.embedded import redis as embedded
from pigi.errors import PigiError
from pigi.jobs.heartbeats import last_beats
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queues import queues_of
from pigi.operations.generations import request_generation
from pigi.operations.jobs import read_job
from pigi.store.instants import database_now
from standins.anthropic.faults import FaultyAnthropic, ok
from standins.anthropic.messages import reply_to
from standins.anthropic.server import Handler, Request
from tests.support.environments import ROOT, environment_of
from tests.support.factories import make_organisation
from tests.support.sinks import asked_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pigi.jobs.model.view import JobView
    from pigi.settings import Settings
    from standins.anthropic.faults import Behaviour
    from standins.anthropic.messages import Event

Found = TypeVar("Found")
LOOK_SECONDS = 0.03
START_SECONDS = 120.0
PR_SET_PDEATHSIG = 1
HELD_WORKER = "tests.support.held_worker"


class TooLateError(AssertionError):
    """What was waited for did not come."""


def until(look: Callable[[], Found], seconds: float, what: str) -> Found:
    """The first true answer of ``look``; TooLateError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TooLateError(f"not within {seconds:g} s: {what}")
        time.sleep(LOOK_SECONDS)


class Hold:
    """A behaviour that streams a few events, then waits to be let go; the rest follows then."""

    def __init__(self, after: int = 8, then: Behaviour | None = None, pause: float = 0.0) -> None:
        """``pause`` seconds before the last event that is sent, such as to have the live text stored."""
        self.after = after
        self.pause = pause
        self.then = then
        self.reached = threading.Event()
        self.released = threading.Event()
        self.port = 0

    def __call__(self, server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        if self.then is not None:
            self._wait(server, handler)
            self.then(server, handler, request)
            return
        events = _reply_events(request)
        handler.begin_stream()
        for event in islice(events, self.after - 1):
            handler.send_event(event)
        server.closing.wait(self.pause)
        handler.send_event(next(events))
        self._wait(server, handler)
        for event in events:
            handler.send_event(event)
        handler.send_chunk(b"")

    def _wait(self, server: FaultyAnthropic, handler: Handler) -> None:
        self.port = handler.client_address[1]
        self.reached.set()
        while not self.released.is_set() and not server.closing.is_set():
            self.released.wait(0.05)

    def wait(self, seconds: float = 30.0) -> Self:
        """Come here only once a request is held."""
        assert self.reached.wait(seconds), "no request came to the hold"
        return self

    def release(self) -> None:
        """Let the request go on."""
        self.released.set()


def slowly(seconds: float, pieces: int = 8) -> Behaviour:
    """A good draft, streamed over so long."""

    def behave(server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        events = list(_reply_events(request))
        handler.begin_stream()
        for position, event in enumerate(events):
            handler.send_event(event)
            if position % max(1, len(events) // pieces) == 0:
                server.closing.wait(seconds / pieces)
        handler.send_chunk(b"")

    return behave


def _reply_events(request: Request) -> Iterator[Event]:
    return reply_to(json.loads(request.body)).events()


class _Recording(Handler):
    """Notes the id that each answer carries, so that the ledger's references can be checked."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        reference = f"req_{secrets.token_hex(12)}"
        self.server.references.append(reference)  # type: ignore[attr-defined]
        super().begin(status, {**headers, "request-id": reference})


class Model(FaultyAnthropic):
    """The stand-in, told by the generation's name how to behave; a name without a plan is answered well."""

    def __init__(self) -> None:
        super().__init__(self._choose)
        self.RequestHandlerClass = _Recording
        self.references: list[str] = []
        self.usual: Behaviour = ok()
        self._plans: defaultdict[str, deque[Behaviour]] = defaultdict(deque)

    def plan(self, name: str, *behaviours: Behaviour) -> None:
        """The requests for ``name`` take these behaviours in turn; after them the usual one."""
        self._plans[name].extend(behaviours)

    def hold(self, name: str, **options: Any) -> Hold:
        """Hold the next request for ``name``."""
        held = Hold(**options)
        self.plan(name, held)
        return held

    def _choose(self, _number: int, request: Request) -> Behaviour:
        plan = self._plans[asked_of(request)[0]]
        return plan.popleft() if plan else self.usual


def _leash() -> partial[int] | None:
    """What makes the kernel kill a process of the stack when the tests' own process dies; Linux only."""
    if sys.platform != "linux":
        return None
    return partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Process:
    """A process of the stack in a group of its own; `kill` and `end` leave nothing behind."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._log_from = log.stat().st_size if log.exists() else 0
        self._family: dict[int, psutil.Process] = {}
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                start_new_session=True, preexec_fn=_leash(),
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        """What it has logged since its start."""
        with self.log.open("rb") as stream:
            stream.seek(self._log_from)
            return stream.read().decode(errors="replace")

    def says(self, words: str, seconds: float = START_SECONDS) -> None:
        """Come here once it has logged these words."""
        until(lambda: words in self.text() or not self.alive, seconds, f"{self.name} says {words!r}")
        assert words in self.text(), f"{self.name} ended: {self.text()[-2000:]}"

    def children(self) -> list[psutil.Process]:
        """Its living children."""
        try:
            found = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self._family.update({child.pid: child for child in found})
        return [child for child in found if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]

    def orphans(self) -> list[psutil.Process]:
        """Children seen earlier that still live."""
        return [one for one in self._family.values() if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def kill(self) -> None:
        """kill -9 of the main process alone; its children are left to notice."""
        self.children()
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> None:
        self.children()
        self.process.terminate()

    def wait(self, seconds: float) -> int:
        """Its status once it has ended."""
        return self.process.wait(seconds)

    def end(self) -> None:
        """Away with it and with all that it started."""
        self.children()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for one in self._family.values():
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait(10)


class Stack:
    """One installation at work. Use it as a context manager; start what the drill needs."""

    def __init__(self, settings: Settings) -> None:
        self.place = embedded.endpoint_for(settings.home)
        self.settings = settings.model_copy(update={"redis_url": self.place.url})
        self.application = Application.open(self.settings)
        self.model = Model()
        self.logs = settings.home / "logs"
        self.logs.mkdir(exist_ok=True)
        self.processes: dict[str, Process] = {}
        self._starts: dict[str, Callable[[], Process]] = {}
        self._organisation: str | None = None

    def __enter__(self) -> Self:
        self.model.__enter__()
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in list(self.processes.values()):
            with suppress(Exception):
                process.end()
        with suppress(Exception):
            self.model.__exit__(None, None, None)
        self.application.dispose()
        if self.place.moved:
            shutil.rmtree(self.place.folder, ignore_errors=True)

    # Processes

    def redis(self) -> redis.Redis:
        """A client of the stack's Redis, which is started if it is not there."""
        if not self._is_up("redis"):
            self._start("redis", lambda: self._launch("redis", embedded.command(self.place)))
            until(lambda: embedded.answers(self.place), START_SECONDS, "redis answers")
        return redis.Redis(unix_socket_path=str(self.place.socket), socket_timeout=10)

    def stop_redis(self) -> None:
        """It is gone at once, with all that it held."""
        self.processes["redis"].end()
        self.place.socket.unlink(missing_ok=True)

    def worker(
        self,
        pool: str = "ai",
        children: int = 2,
        *,
        app: str = "worker.app",
        name: str = "",
        ready: bool = True,
        **environment: str,
    ) -> Process:
        """A worker process of a pool."""
        name = name or f"worker-{pool}"
        command = [
            sys.executable, "-m", "celery", "--quiet", "-A", app, "worker", "-Q", ",".join(queues_of(pool)),
            "-c", str(children), "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]  # fmt: skip
        process = self._start(name, lambda: self._launch(name, command, PIGI_POOL=pool, **environment))
        if ready:
            process.says("worker ready")
        return process

    def beat(self, name: str = "beat") -> Process:
        """A beat; it has ticked when this returns."""
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "schedules.app", "beat", "--pidfile="]
        process = self._start(name, lambda: self._launch(name, command))
        until(self._has_pumped, START_SECONDS, "beat ticks")
        return process

    def mend(self) -> None:
        """Start again whatever died, as a supervisor would."""
        for name, start in self._starts.items():
            if not self._is_up(name):
                self.processes[name].end()
                self.processes[name] = start()

    def environment(self) -> dict[str, str]:
        """What the processes are given."""
        return {**environment_of(self.settings), "ANTHROPIC_BASE_URL": self.model.url, "PYTHONUNBUFFERED": "1"}

    def _launch(self, name: str, command: list[str], **environment: str) -> Process:
        return Process(name, command, {**self.environment(), **environment}, self.logs / f"{name}.log")

    def _start(self, name: str, start: Callable[[], Process]) -> Process:
        if name in self.processes:
            self.processes[name].end()
        self._starts[name] = start
        self.processes[name] = start()
        return self.processes[name]

    def forget(self, name: str) -> None:
        """End a process for good."""
        self._starts.pop(name)
        self.processes.pop(name).end()

    def _is_up(self, name: str) -> bool:
        return name in self.processes and self.processes[name].alive

    def _has_pumped(self) -> bool:
        with self.application.control.autocommit() as connection:
            return "pump" in last_beats(connection)

    def child_of(self, held: Hold) -> psutil.Process:
        """The worker's child whose request is held."""
        for process in self.processes.values():
            for child in process.children():
                with suppress(psutil.Error):
                    if any(found.laddr.port == held.port for found in child.net_connections("tcp") if found.laddr):
                        return child
        raise AssertionError("nobody holds this request")

    # Jobs

    @property
    def organisation(self) -> str:
        """The stack's usual organisation."""
        if self._organisation is None:
            self._organisation = self.another_organisation()
        return self._organisation

    def another_organisation(self) -> str:
        """One more organisation; its id."""
        return make_organisation(self.application.control, self.application.tenants)

    def post(
        self, name: str, purpose: str = "Reviews changes for missing tests.", organisation: str | None = None
    ) -> str:
        """Ask for a generation as the web does; the job's id."""
        caller = Caller(organisation or self.organisation, key_id="drill")
        return request_generation(self.application, caller, "agent", name, purpose).id

    def job(self, job_id: str) -> JobView:
        """The job as it stands."""
        return read_job(self.application, job_id, None)

    def wait(self, job_ids: Iterable[str], seconds: float = 60.0) -> list[JobView]:
        """The jobs once all have ended."""
        left, ended = list(job_ids), {}
        order = list(left)

        def look() -> bool:
            for job_id in left[:]:
                view = self._seen(job_id)
                if view is not None and view.ended:
                    ended[job_id] = view
                    left.remove(job_id)
            return not left

        try:
            until(look, seconds, "all jobs ended")
        except TooLateError as late:
            stuck = [
                (view.id, view.state, view.reason, [str(line) for line in view.timeline])
                for view in map(self._seen, left)
                if view
            ]
            raise TooLateError(f"{late}: {len(stuck)} did not: {stuck[:3]}") from None
        return [ended[job_id] for job_id in order]

    def _seen(self, job_id: str) -> JobView | None:
        try:
            return self.job(job_id)
        except (SQLAlchemyError, PigiError):
            return None

    def wait_for(self, job_id: str, state: str, attempt: int = 0, seconds: float = 30.0) -> JobView:
        """The job once it is in this state, in this attempt or a later one."""

        def look() -> JobView | None:
            view = self._seen(job_id)
            return view if view is not None and view.state == state and view.attempt >= attempt else None

        found = until(look, seconds, f"job is {state} in attempt {attempt}")
        assert found is not None
        return found

    def lapse(self, job_id: str) -> None:
        """End the lease of a job now, as if its worker had been silent for long."""
        with self.application.control.autocommit() as connection:
            statement = update(JOB).where(JOB.c.id == job_id, JOB.c.state == "running")
            connection.execute(statement.values(lease_until=database_now(-1), revision=JOB.c.revision + 1))

    def log_texts(self) -> str:
        """All that any process has logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.iterdir()))


def recovery_seconds(view: JobView, attempt: int = 1) -> float:
    """How long the job lay still between one attempt's end, as far as Pigi knew of it, and the next one's start."""
    started = {entry.attempt: datetime.fromisoformat(entry.at) for entry in view.timeline if entry.state == "running"}
    return (started[attempt + 1] - started[attempt]).total_seconds()


__all__ = ["HELD_WORKER", "Hold", "Model", "Process", "Stack", "TooLateError", "recovery_seconds", "slowly", "until"]
