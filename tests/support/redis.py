"""A real Redis for tests, on a socket of its own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import redis

from pigi.embedded.redis import Endpoint, answers, command

START_SECONDS = 120


class RedisServer:
    """A server for the run of the tests. ``client`` is for looking behind the bell's back."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="pigi-redis-")
        self.place = Endpoint(Path(self._folder.name))
        self._process = subprocess.Popen(command(self.place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + START_SECONDS
        while not answers(self.place):
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise RuntimeError("the Redis of the tests does not start")
            time.sleep(0.02)
        self.client: Any = redis.Redis(unix_socket_path=str(self.place.socket))
        return self

    def __exit__(self, *_exception: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        return self.place.url

    def reset(self) -> None:
        """Empty, and with as much memory as it likes."""
        self.client.config_set("maxmemory", "0")
        self.client.flushall()
