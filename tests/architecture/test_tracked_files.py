"""What must not be in the repository: paths of a machine, hosts of an index, packages under tests."""

from __future__ import annotations

import re

import pytest

from tests.support.sources import ROOT, tracked

# Put together here, so that this file passes its own test.
HOMES = re.compile("/" + r"(?:home|Users)/[a-z][\w.-]*/|/" + r"root/|[A-Z]:\\Users\\|/" + "work/|/" + "mnt/")
INDEXES = re.compile("pypi" + r"\.org|python" + r"hosted\.org|--index" + r"-url|--extra-" + r"index|/simple" + "/")
LOCKS = re.compile(r"(requirements.*\.txt|.*\.lock|pylock.*\.toml)$")
BINARY = {".woff2", ".woff", ".png", ".ico", ".gz", ".zip"}


@pytest.fixture(scope="module")
def texts():
    """Every tracked text."""
    paths = [path for path in tracked() if path.suffix not in BINARY]
    return {str(path.relative_to(ROOT)): path.read_text(errors="replace") for path in paths}


def test_no_file_holds_a_path_of_a_machine(texts):
    assert {name: found.group() for name, text in texts.items() if (found := HOMES.search(text))} == {}


def test_no_lock_file_names_the_host_of_an_index(texts):
    locks = {name: text for name, text in texts.items() if LOCKS.search(name)}
    assert locks
    assert {name: found.group() for name, text in locks.items() if (found := INDEXES.search(text))} == {}


def test_tests_are_no_packages():
    assert [path for path in (ROOT / "tests").rglob("__init__.py") if "node_modules" not in path.parts] == []


def test_nothing_of_a_run_is_tracked(texts):
    assert [name for name in texts if name.startswith(("var/", ".venv/")) or name.endswith((".db", ".pyc"))] == []
