from __future__ import annotations

import os

import pytest

from pigi.processes.home import only_one, running_in
from pigi.processes.program import CannotStartError


def test_a_second_holder_is_told_who_the_first_is(tmp_path):
    with only_one(tmp_path, "http://127.0.0.1:8000") as note:
        note("http://127.0.0.1:8001")
        with pytest.raises(CannotStartError) as refusal, only_one(tmp_path, "x"):
            pass
    assert f"process {os.getpid()}, http://127.0.0.1:8001" in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


def test_a_home_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with only_one(tmp_path, "http://127.0.0.1:8000"):
            assert running_in(tmp_path) == {"process": os.getpid(), "address": "http://127.0.0.1:8000"}
    assert running_in(tmp_path) is None
