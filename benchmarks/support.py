"""What the benchmarks share: a Redis, a database of either engine, worker processes, and medians."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from devtools.postgres import PostgresServer
from pigi.application import Application
from pigi.clock import now
from pigi.ids import new_id
from pigi.settings import Settings
from pigi.store.control import Organisation
from pigi.store.migrate import migrate_control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
WORKER = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def redis_binary() -> str:
    """The server that `pigi up` would start."""
    from pigi.embedded.redis import _server

    return _server()


class Ground:
    """A Redis and an application on one database engine, in a folder of their own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment
        self.application = Application.open(settings_of(environment))
        self.redis = redis.Redis.from_url(environment["REDIS_URL"])

    def organisation(self) -> str:
        """A tenant's row, without a database of its own: for kinds that need none."""
        organisation_id = new_id()
        with self.application.control.begin() as session:
            session.add(
                Organisation(
                    id=organisation_id, name="bench", state="active", epoch=1, schema_revision="", created_at=now()
                )
            )
        return organisation_id

    def plain_database(self) -> str:
        """A second database of the same engine, for what Pigi is measured beside."""
        url = self.environment["DATABASE_URL"]
        if not url.startswith("sqlite"):
            return url
        return f"sqlite:///{self.home}/plain.db"

    @contextlib.contextmanager
    def process(self, *command: str, log: str = "process") -> Iterator[subprocess.Popen[bytes]]:
        """A process of the stack, ended with the block."""
        with (self.home / f"{log}.log").open("ab") as output:
            running = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=output, stderr=output)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()

    def celery(
        self, app: str, queues: str, worker_context: int, *more: str, name: str = "bench"
    ) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
        """A Celery worker process."""
        return self.process(
            sys.executable,
            "-m",
            "celery",
            "-A",
            app,
            "worker",
            "-Q",
            queues,
            "-c",
            str(worker_context),
            "-n",
            f"{name}@%h",
            *WORKER,
            *more,
            log=name,
        )


def settings_of(environment: dict[str, str]) -> Settings:
    """The settings of an installation that a benchmark stands on."""
    fields = {
        "home": environment["PIGI_HOME"],
        "database_url": environment["DATABASE_URL"],
        "tenant_database_url": environment["TENANT_DATABASE_URL"],
        "redis_url": environment["REDIS_URL"],
        "anthropic_base_url": environment.get("ANTHROPIC_BASE_URL", ""),
    }
    return Settings(**fields)


@contextlib.contextmanager
def ground(engine: str, **more: str) -> Iterator[Ground]:
    """Everything that a benchmark stands on; PostgreSQL with fsync and synchronous commits on."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pigi-bench-")))
        notifier = home / "redis.sock"
        server = subprocess.Popen(
            [redis_binary(), "--port", "0", "--unixsocket", str(notifier), "--dir", str(home), "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(lambda: (server.terminate(), server.wait()))
        environment = {**os.environ, "PIGI_HOME": str(home), "REDIS_URL": f"unix://{notifier}", **more}
        if engine == "sqlite":
            environment["DATABASE_URL"] = f"sqlite:///{home}/control.db"
            environment["TENANT_DATABASE_URL"] = f"sqlite:///{home}/organisations/{{id}}.db"
        else:
            postgres = stack.enter_context(PostgresServer())
            environment["DATABASE_URL"] = postgres.url("control")
            environment["TENANT_DATABASE_URL"] = postgres.url("tenant_{id}")
        migrate_control(environment["DATABASE_URL"])
        wait_until(notifier.exists)
        made = Ground(home, environment)
        try:
            yield made
        finally:
            made.application.dispose()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Poll until it holds; TimeoutError after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def summary(values: Sequence[float]) -> str:
    """Median with the range."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"
