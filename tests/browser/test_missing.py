"""A machine without a browser: where nothing may be missing tests fail, else they are skipped, and both say how."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import browser as support
from tools import browser as tool

if TYPE_CHECKING:
    from pathlib import Path

NO_BROWSER: Any = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chrome"))
APT = """#!/bin/sh
echo "$*" >> "{log}"
[ "$1" = update ] && touch "{folder}/lists" && exit 0
[ -e "{folder}/lists" ] || exit 100
printf '#!/bin/sh\\n' > "{folder}/chromium" && /bin/chmod +x "{folder}/chromium"
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_it_is_said_how_to_get_one(bare: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: Any) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install chromium"):
        support.executable(NO_BROWSER)


def test_root_on_debian_gets_it_also_before_the_first_update(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = bare / "log"
    apt = bare / "apt-get"
    apt.write_text(APT.format(log=log, folder=bare).replace("touch ", "/usr/bin/touch "))
    apt.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tool.main() == 0
    assert tool.find() == str(bare / "chromium")
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["install", "update", "install"]
    assert tool.main() == 0
    assert len(log.read_text().splitlines()) == 3


def test_others_are_told(bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert tool.main() == 1
    assert "apt-get install chromium" in capfd.readouterr().err
