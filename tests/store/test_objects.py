"""The files store: a folder and an S3 server behave alike, and one that is full or away holds nothing half."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pigi.errors import Misconfigured
from pigi.store.objects import PIECE, FilesAwayError, Objects
from tests.support.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = """
import resource, sys
from pigi.store.objects import FilesAwayError, Objects
store = Objects(sys.argv[1])
store.put("o/1", b"a")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.put("o/2", b"x" * 1_000_000)
except FilesAwayError:
    print([found.name for found in store.find("o")])
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket on an S3 server of moto's; the URL."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        endpoint = f"http://{host}:{port}"
        client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-central-1")
        client.create_bucket(Bucket="pigi", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield f"s3://pigi/one?region=eu-central-1&endpoint={endpoint}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """An empty store of each sort."""
    url = f"file://{tmp_path}/files" if request.param == "folder" else request.getfixturevalue("s3")
    return Objects(url)


def test_objects_are_written_whole_read_in_stretches_and_removed_by_the_folder(store: Objects) -> None:
    data = bytes(range(256)) * (PIECE // 128)
    store.put("organisations/a/exports/x/1-1", data)
    store.put("organisations/a/exports/x/2-1", b"second")
    store.put("organisations/ab/1", b"another's")
    assert store.get("organisations/a/exports/x/2-1") == b"second"
    assert b"".join(store.read("organisations/a/exports/x/1-1", 300, PIECE + 5)) == data[300 : PIECE + 305]
    assert store.size("organisations/a/exports/x/1-1") == len(data)
    assert sorted(found.name for found in store.find("organisations/a")) == [
        "organisations/a/exports/x/1-1",
        "organisations/a/exports/x/2-1",
    ]
    assert store.remove("organisations/a") == 2
    assert (store.remove("organisations/a"), store.get("organisations/a/exports/x/1-1")) == (0, None)
    assert [found.name for found in store.find("")] == ["organisations/ab/1"]
    with pytest.raises(FilesAwayError):
        next(store.read("organisations/a/exports/x/1-1", 0, 1))


def test_a_store_that_is_full_says_so_and_holds_nothing_half(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/files"
    done = subprocess.run(
        [sys.executable, "-c", FULL, url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("['o/1']", 0), done.stderr


def test_a_store_that_cannot_be_named_stops_the_start() -> None:
    for url in ("http://example.com/x", "file://relative/x", "s3://bucket/x?endpont=https://example.com"):
        with pytest.raises(Misconfigured):
            Objects(url)
