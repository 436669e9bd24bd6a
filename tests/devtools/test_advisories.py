"""Known holes: what is looked up, what is held against the lock, and that nobody is asked for the latter."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from devtools import advisories
from devtools.advisories import ACCEPTED, DATA, FAILED, LOCK, ROOT, UNREACHABLE, VENDORED, check, is_affected, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = datetime.now(UTC).date()


def entry(name: str, package: str, *events: dict[str, str], **others: Any) -> dict[str, Any]:
    """One of OSV's entries."""
    affected = {"package": {"ecosystem": "PyPI", "name": package}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": name, "aliases": [f"CVE-{name}"], "details": "words", "affected": [affected], **others}


KNOWN = {
    "flask": [
        [entry("OLD-1", "Flask", {"introduced": "0"}, {"fixed": "1.0"})],
        [entry("NEW-1", "Flask", {"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "3.0"}, {"fixed": "99.1"})],
    ],
    "celery": [[entry("GONE-1", "celery", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z")]],
    "click": [[{"id": "GIT-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "click"}, "versions": ["0.1"],
                                             "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]}]],
}  # fmt: skip
"""By package, the pages that the service answers with."""


class Service(BaseHTTPRequestHandler):
    """As much of OSV's API as is asked of it."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        at, pages = int(asked.get("page_token", 0)), KNOWN.get(asked["package"]["name"], [[]])
        page = {"vulns": pages[at], **({"next_page_token": str(at + 1)} if at + 1 < len(pages) else {})}
        data = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a small lock and a vendored script."""
    for name in (DATA, ACCEPTED, VENDORED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    lock = 'celery==5.7.0 \\\n    --hash=sha256:00\nclick==8.1.1\nflask==3.1.2 ; python_version >= "3.11"\n'
    (tmp_path / LOCK).write_text(lock)
    return tmp_path


def accept(root: Path, name: str, until: date, reason: str = "Nothing calls it.") -> None:
    (root / ACCEPTED).write_text(f'[[accepted]]\nid = "{name}"\nuntil = {until}\nreason = "{reason}"\n')


def test_the_lock_of_this_repository_has_no_known_hole() -> None:
    wrong, words = check(ROOT, TODAY)

    assert wrong == []
    assert "with a known hole, as known on" in words[0]


@pytest.mark.usefixtures("service")
def test_a_hole_in_a_locked_version_fails_and_is_told_with_what_to_do(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["look-up"], checkout) == 0
    assert main(["check"], checkout) == FAILED
    told = capsys.readouterr().out

    assert "flask 3.1.2 has a known hole, NEW-1, CVE-NEW-1: mended in 1.0 and 99.1. Take one" in told
    assert all(name not in told for name in ("OLD-1", "GONE-1", "GIT-1", "words", "Not looked up", "days ago"))
    assert [one["id"] for one in json.loads((checkout / DATA).read_text())["advisories"]] == ["GIT-1", "NEW-1", "OLD-1"]


@pytest.mark.usefixtures("service")
def test_an_acceptance_counts_for_a_while_with_a_reason_and_as_long_as_there_is_the_hole(checkout: Path) -> None:
    main(["look-up"], checkout)
    accept(checkout, "NEW-1", TODAY + timedelta(days=90))
    assert check(checkout, TODAY)[0] == []
    for until, reason in ((-1, "x"), (91, "x"), (5, " ")):
        accept(checkout, "NEW-1", TODAY + timedelta(days=until), reason)
        assert any("over, too far away, or without a reason" in line for line in check(checkout, TODAY)[0])
    accept(checkout, "OLD-1", TODAY)
    assert any("take it away" in line for line in check(checkout, TODAY)[0])


def test_nobody_is_asked_and_what_is_old_or_was_not_looked_up_is_said(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)
    (checkout / LOCK).write_text("never-heard-of==1\n")
    advisories.write(checkout, [], ["PyPI:flask"], date(2026, 1, 1), "a test")
    wrong, words = check(checkout, date(2026, 2, 1))

    assert (wrong, words[1].partition(":")[0]) == ([], "That is 31 days ago")
    assert words[2] == "Not looked up at all: PyPI:never-heard-of, npm:htmx.org."
    assert len(check(checkout, date(2026, 1, 31))[1]) == 2


def test_without_the_service_the_file_stays_as_it_was(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (checkout / DATA).read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert main(["look-up"], checkout) == UNREACHABLE

    assert (checkout / DATA).read_text() == before


def test_a_folder_of_entries_will_do(checkout: Path) -> None:
    (checkout / "entries").mkdir()
    (checkout / "entries" / "one.yaml").write_text(json.dumps(KNOWN["flask"][1][0]))
    main(
        ["look-up", "--folder", str(checkout / "entries"), "--as-of", "2026-11-01", "--source", "a database"], checkout
    )
    wrong, words = check(checkout, date(2026, 11, 2))

    assert len(wrong) == 1
    assert "as known on 2026-11-01 (a database)" in words[0]
    assert words[1] == "Not looked up at all: npm:htmx.org."


def test_a_vendored_script_that_nobody_named_stops_it(checkout: Path) -> None:
    (checkout / VENDORED).write_text(f"{'0' * 64}  alpine-3.1.0.min.js\n")
    with pytest.raises(SystemExit, match="has alpine, which SCRIPTS"):
        check(checkout, TODAY)


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}], ["0.1", "99"]),
        ([{"introduced": "2"}, {"fixed": "3"}], ["2", "2.9"]),
        ([{"introduced": "2"}, {"last_affected": "3"}], ["2", "2.9", "3"]),
        ([{"fixed": "1.1"}, {"introduced": "0"}, {"introduced": "2"}, {"fixed": "2.5"}], ["0.1", "2", "2.4.9"]),
        ([{"introduced": "3"}], ["99", "not a version"]),
    ],
)  # fmt: skip
def test_a_version_lies_in_a_range_or_not(events: list[dict[str, str]], affected: list[str]) -> None:
    versions = ["0.1", "1.1", "1.9", "2", "2.4.9", "2.5rc1", "2.5", "2.9", "3", "99", "not a version"]
    found = [version for version in versions if is_affected(version, {"ranges": [events], "versions": []})]

    assert set(affected) <= set(found)
    assert "not a version" in found
    assert ("1.9" in found) == (events == [{"introduced": "0"}])
    assert is_affected("7", {"ranges": [], "versions": ["7"]})
