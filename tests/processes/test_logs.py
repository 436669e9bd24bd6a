from __future__ import annotations

import os
import stat

from pigi.domain.retention import Retention, keep
from pigi.processes.logs import TURNED_AFTER, Logs

DAY = 86_400


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
    write(logs, b"small\n")
    logs.trim()
    logs.trim()
    assert logs.path("web").read_bytes() == b"small\n"
    assert past(logs).read_bytes() == b""


def write(logs, data):
    writer = logs.open("web")
    os.write(writer, data)
    os.close(writer)


def past(logs):
    return logs.path("web").with_name("web.log.1")


def let_pass(logs, days):
    """Let the log have begun so many days earlier."""
    moment = past(logs).stat().st_mtime - days * DAY
    os.utime(past(logs), (moment, moment))


def test_a_log_goes_on_for_a_week_and_is_kept_for_another(tmp_path):
    logs = Logs(tmp_path / "logs")
    write(logs, b"first\n")
    logs.trim()
    let_pass(logs, 6.9)
    logs.trim()
    assert logs.path("web").read_bytes() == b"first\n"
    let_pass(logs, 0.2)
    logs.trim()
    assert (logs.path("web").read_bytes(), past(logs).read_bytes()) == (b"", b"first\n")
    write(logs, b"second\n")
    let_pass(logs, 7.1)
    logs.trim()
    assert (logs.path("web").read_bytes(), past(logs).read_bytes()) == (b"", b"second\n")


def test_nothing_older_than_two_weeks_is_found_after_a_long_rest(tmp_path):
    logs = Logs(tmp_path / "logs")
    write(logs, b"old\n")
    logs.trim()
    let_pass(logs, 15)
    logs = Logs(tmp_path / "logs")
    assert (logs.path("web").read_bytes(), past(logs).read_bytes()) == (b"", b"")
    write(logs, b"new\n")
    logs.trim()
    assert logs.path("web").read_bytes() == b"new\n"


def test_both_ages_together_are_the_period_of_the_request_log():
    assert 2 * TURNED_AFTER == keep(Retention.REQUEST_LOG) <= keep(Retention.ERROR_LOG)


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


def test_words_are_found_in_a_log_that_was_cut_meanwhile(tmp_path):
    logs = Logs(tmp_path / "logs", most=10)
    write(logs, b"x" * 50)
    since = logs.size("web")
    logs.trim()
    write(logs, b"web ready\n")
    assert logs.says("web", "web ready", since)
