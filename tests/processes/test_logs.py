from __future__ import annotations

import os
import stat

from pigi.processes.logs import Logs


def test_a_log_is_cut_under_its_writer(tmp_path):
    logs = Logs(tmp_path / "logs", most=100)
    writer = logs.open("web")
    os.write(writer, b"x" * 150 + b"\n")
    logs.trim()
    os.write(writer, b"after\n")
    os.close(writer)
    assert logs.path("web").read_bytes() == b"after\n"
    assert (tmp_path / "logs" / "web.log.1").read_bytes() == b"x" * 150 + b"\n"


def test_a_small_log_stays(tmp_path):
    logs = Logs(tmp_path / "logs", most=100)
    os.close(logs.open("web"))
    logs.trim()
    assert not (tmp_path / "logs" / "web.log.1").exists()


def test_only_the_user_may_read_logs(tmp_path):
    logs = Logs(tmp_path / "logs", most=1)
    writer = logs.open("web")
    os.write(writer, b"much\n")
    os.close(writer)
    logs.trim()
    for path in (tmp_path / "logs").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


def test_words_count_only_after_the_start(tmp_path):
    logs = Logs(tmp_path / "logs")
    writer = logs.open("worker")
    os.write(writer, b"worker ready\n")
    since = logs.size("worker")
    assert logs.says("worker", "worker ready", 0)
    assert not logs.says("worker", "worker ready", since)
    os.write(writer, b"\n  worker ready again \n\n")
    os.close(writer)
    assert logs.says("worker", "worker ready", since)
    assert logs.last_line("worker") == "worker ready again"
    assert logs.last_line("nobody") == ""
