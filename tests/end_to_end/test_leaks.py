"""Nobody finds what was written: every byte at rest, in Redis and in the logs is searched for marker phrases."""

from __future__ import annotations

import base64
import gzip
import json
import re
import signal
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from devtools.postgres import PostgresServer
from pigi.operations.generations.drafting import FLUSH_SECONDS
from pigi.operations.jobs import cancel_job
from pigi.store import servers
from standins.anthropic.faults import refusal
from tests.support.monitor import Monitor
from tests.support.postgres import PostgresStores
from tests.support.sinks import stored_of
from tests.support.stack import Stack, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sqlite import SqliteStores

PURPOSE = 'Zebrafink "quartz" männlich & <lila> 4711-pelican'
NAME = 'Okapi "fjord" größe & <rosa> 0815-walrus'
DRAFT_MARK = "Stay with that job."
"""A sentence that each draft of the stand-in holds."""


def forms(phrase: str) -> dict[str, bytes]:
    """The phrase in the forms in which it could lie somewhere."""
    data = phrase.encode()
    found = {
        "plain": data,
        "JSON": json.dumps(phrase)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(phrase))[3:-3].encode(),
        "repr": repr(phrase)[1:-1].encode(),
        "XML": data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;"),
        "URL": quote(phrase).encode(),
        "form": quote_plus(phrase).encode(),
        "UTF-16": phrase.encode("utf-16-le"),
        "UTF-16 BE": phrase.encode("utf-16-be"),
        "hexadecimal": data.hex().encode(),
        # A word that no escaping changes.
        "a word": phrase.rsplit(maxsplit=1)[-1].encode(),
    }
    for shift in range(3):
        # The middle of a longer text's base64, wherever the phrase begins in it.
        encoded = base64.b64encode(b"\0" * shift + data)
        found[f"base64 at {shift}"] = encoded[4 if shift else 0 : -4]
    return found


FORMS = {
    f"{what}, {form}": data
    for what, phrase in {"purpose": PURPOSE, "name": NAME}.items()
    for form, data in forms(phrase).items()
}
FORMS["draft"] = DRAFT_MARK.encode()


STREAMED = {"after": 60, "pause": FLUSH_SECONDS * 2}
"""Held when a part of the draft is stored as live text."""
COMPRESSED_BYTES = 1 << 16
"""How much of anything compressed is looked at; what a job holds is far smaller."""


def found_in(data: bytes) -> set[str]:
    """Which forms are in these bytes, also within anything that was compressed."""
    found = {form for form, wanted in FORMS.items() if wanted in data}
    for magic, concurrency in ((b"\x1f\x8b\x08", 31), (b"\x78\x9c", 15), (b"\x78\x01", 15), (b"\x78\xda", 15)):
        place = data.find(magic)
        while place >= 0:
            inflated = _inflate(data[place : place + COMPRESSED_BYTES], concurrency)
            found |= {f"compressed {form}" for form, wanted in FORMS.items() if wanted in inflated}
            place = data.find(magic, place + 1)
    return found


def _inflate(data: bytes, concurrency: int) -> bytes:
    try:
        return zlib.decompressobj(concurrency).decompress(data, 1 << 20)
    except zlib.error:
        return b""


def all_of_redis(stack: Stack) -> bytes:
    """Every key in each form that Redis gives, its slow log, and its dump on disk."""
    client = stack.redis()
    parts: list[bytes] = [repr(client.slowlog_get(1000)).encode()]
    for key in client.scan_iter(count=1000):
        parts += [key, client.dump(key) or b""]
        if client.type(key) == b"list":
            messages: Any = client.lrange(key, 0, -1)
            parts += messages
            parts += [_opened(message) for message in messages]
    client.save()
    parts.append((stack.place.folder / "dump.rdb").read_bytes())
    return b"\n".join(parts)


def _opened(message: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(message)["body"])
    except (ValueError, KeyError, TypeError):
        return message


def everywhere(stack: Stack, more: list[Path], since: float) -> dict[str, set[str]]:
    """Each place where a form of a marker was found, in files that changed ``since`` the first was written."""
    places = {"redis": found_in(all_of_redis(stack))}
    for root in (stack.settings.home, stack.place.folder, *more):
        for path in root.rglob("*"):
            places[str(path.relative_to(root))] = found_in(_bytes_of(path, since))
    return {place: found for place, found in places.items() if found}


def _bytes_of(path: Path, since: float) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_mtime >= since else b""
    except FileNotFoundError:
        return b""


@pytest.fixture(scope="module")
def own_postgresql() -> Iterator[PostgresStores]:
    """A server whose files are searched."""
    stores = PostgresStores()
    stores.server = PostgresServer(durable=False)
    if stores.server.external:
        pytest.skip("the files of a server that is not ours cannot be searched")
    with stores:
        yield stores


@pytest.fixture
def searched(
    request: pytest.FixtureRequest, engine: str, sqlite_stores: SqliteStores, tmp_path: Path
) -> Iterator[tuple[Stack, list[Path]]]:
    """A stack, and the folders beside its home that are searched."""
    more: list[Path] = []
    settings = sqlite_stores.fresh(tmp_path / "home")
    if engine == "postgresql":
        own: PostgresStores = request.getfixturevalue("own_postgresql")
        settings = own.fresh(tmp_path / "pg-home")
        more = [own.server._home]
    with Stack(settings) as stack:
        stack.redis()
        stack.redis().config_set("slowlog-log-slower-than", 0)
        stack.worker(children=3)
        stack.beat()
        yield stack, more


def flushed(stack: Stack) -> None:
    """Have PostgreSQL write what it holds in memory to its files."""
    if not stack.settings.database_url.startswith("sqlite"):
        with servers.maintenance(stack.settings.database_url) as connection:
            connection.exec_driver_sql("CHECKPOINT")


def test_no_marker_is_found_at_any_moment_of_a_job(searched: tuple[Stack, list[Path]]) -> None:
    stack, more = searched
    heard = Monitor(stack.place.socket)
    since = time.time() - 2

    def clean(moment: str) -> None:
        flushed(stack)
        assert everywhere(stack, more, since) == {}, moment

    ask = lambda suffix: stack.post(f"{NAME} {suffix}"[:80], PURPOSE)
    names = {suffix: f"{NAME} {suffix}" for suffix in ("held", "refused", "cancelled", "killed")}
    held = stack.model.hold(names["held"], **STREAMED)
    job = ask("held")
    held.wait()
    until(
        lambda: (stored := stored_of(stack, stack.job(job))) and stored.purpose and stored.pieces,
        10,
        "live text is stored",
    )
    clean("while the job runs")
    held.release()
    assert stack.wait([job])[0].state == "succeeded"
    clean("after success")
    stack.model.plan(names["refused"], refusal())
    assert stack.wait([ask("refused")])[0].state == "failed"
    clean("after failure")
    held = stack.model.hold(names["cancelled"], **STREAMED)
    job = ask("cancelled")
    held.wait()
    cancel_job(stack.application, job, None)
    held.release()
    view = stack.wait([job])[0]
    assert view.state == "cancelled"
    assert stored_of(stack, view) is None
    clean("after a cancel")
    held = stack.model.hold(names["killed"], **STREAMED)
    job = ask("killed")
    stack.child_of(held.wait()).send_signal(signal.SIGKILL)
    stack.wait_for(job, "running")
    clean("after kill -9")
    stack.lapse(job)
    assert stack.wait([job])[0].state == "succeeded"
    held.release()
    clean("after another worker finished")
    heard.close()
    assert b"generations.draft" in heard.heard
    assert found_in(heard.heard) == set()
    for message in re.findall(rb'"LPUSH" "[^"]+" "(.*)"', heard.heard):
        assert found_in(_opened(message)) == set()


def test_the_search_finds_each_form_also_in_what_was_compressed() -> None:
    for form, wanted in FORMS.items():
        assert form in found_in(b"before" + wanted + b"after")
        assert f"compressed {form}" in found_in(b"before" + gzip.compress(b"x" * 99 + wanted) + b"after")
        assert f"compressed {form}" in found_in(b"before" + zlib.compress(b"x" * 99 + wanted) + b"after")
