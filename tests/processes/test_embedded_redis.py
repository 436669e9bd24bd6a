from __future__ import annotations

import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis

from pigi.embedded import redis as embedded
from pigi.errors import Misconfigured
from tests.processes.conftest import until


@pytest.fixture
def home():
    # Not tmp_path: its name holds the test's and may be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="pigi-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def serve():
    processes = []

    def start(endpoint):
        processes.append(subprocess.Popen(embedded.command(endpoint), stdout=subprocess.DEVNULL))
        until(lambda: embedded.answers(endpoint), "an answer")
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_real_server_that_keeps_nothing_on_disk(home, serve):
    endpoint = embedded.endpoint_for(home)
    assert not embedded.answers(endpoint)
    serve(endpoint)
    with redis.Redis.from_url(endpoint.url) as client:
        client.lpush("queue", "message")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}
    assert stat.S_IMODE(endpoint.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(endpoint.socket.stat().st_mode) == 0o700


def test_a_server_left_behind_is_stopped(home, serve):
    endpoint = embedded.endpoint_for(home)
    left = serve(endpoint)
    assert embedded.clear(endpoint)
    assert left.wait(30) == 0
    assert not embedded.clear(endpoint)


def test_a_stale_socket_does_no_harm(home, serve):
    endpoint = embedded.endpoint_for(home)
    serve(endpoint).kill()
    until(lambda: not embedded.answers(endpoint), "silence")
    assert not embedded.clear(endpoint)
    serve(endpoint)


def test_a_foreign_server_is_refused_and_stays(home, serve):
    endpoint = embedded.endpoint_for(home)
    serve(endpoint)
    endpoint.pidfile.unlink()
    with pytest.raises(Misconfigured, match="did not start"):
        embedded.clear(endpoint)
    assert embedded.answers(endpoint)


def test_a_home_with_a_long_path_gets_a_short_folder(home, serve):
    deep = home / ("x" * 120)
    endpoint = embedded.endpoint_for(deep)
    try:
        assert endpoint.moved
        assert embedded.endpoint_for(deep) == endpoint
        assert len(str(endpoint.socket)) <= embedded.SOCKET_BYTES
        assert stat.S_IMODE(endpoint.folder.stat().st_mode) == 0o700
        serve(endpoint)
        endpoint.folder.chmod(0o755)
        with pytest.raises(Misconfigured, match="somebody else"):
            embedded.endpoint_for(deep)
    finally:
        shutil.rmtree(endpoint.folder)
