from __future__ import annotations

import pytest

from pigi.jobs.queues import POOLS, QUEUES
from pigi.processes.program import CannotStartError
from pigi.processes.table import Choices, build
from pigi.settings import Settings

WORKERS = [f"worker-{pool}" for pool in POOLS]


def table(tmp_path, choices=None, **given):
    return build(Settings(home=tmp_path, **given), choices or Choices())


def names(found):
    return [program.name for program in found.programs]


def environment_of(found, name):
    return next(program.environment for program in found.programs if program.name == name)


def test_a_bare_development_machine_gets_everything(tmp_path):
    found = table(tmp_path)
    assert names(found) == ["redis", "anthropic", "mail", "migrate", "web", *WORKERS, "beat"]
    assert any("stand-in" in note for note in found.notes)
    for name in ("web", *WORKERS, "beat"):
        environment = environment_of(found, name)
        assert environment["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
        assert environment["ANTHROPIC_API_KEY"]
        assert environment["REDIS_URL"].startswith("unix://")
        assert environment["SMTP_URL"].startswith("smtp://127.0.0.1:")


def test_the_outbox_is_where_the_note_says(tmp_path):
    found = table(tmp_path)
    (note,) = [note for note in found.notes if "Mail goes nowhere" in note]
    sink = next(program for program in found.programs if program.name == "mail")
    assert f"http://127.0.0.1:{sink.argv[-1]} " in note


def test_what_is_named_is_not_started(tmp_path):
    found = table(tmp_path, redis_url="redis://127.0.0.1:1/0", anthropic_api_key="a-key", smtp_url="smtp://x")
    assert names(found) == ["migrate", "web", *WORKERS, "beat"]
    assert found.notes == ()
    assert "ANTHROPIC_API_KEY" not in environment_of(found, "web")


def test_an_address_of_ones_own_needs_no_key(tmp_path):
    found = table(tmp_path, anthropic_base_url="http://127.0.0.1:1")
    assert "anthropic" not in names(found)
    assert environment_of(found, "worker-ai")["ANTHROPIC_API_KEY"]


def test_stand_ins_can_be_unwanted(tmp_path):
    with pytest.raises(CannotStartError, match="ANTHROPIC_API_KEY"):
        table(tmp_path, Choices(standins=False))
    with pytest.raises(CannotStartError, match="SMTP_URL"):
        table(tmp_path, Choices(standins=False), anthropic_api_key="a-key")


def test_every_queue_has_a_worker(tmp_path):
    found = table(tmp_path)
    consumed = [queue for program in found.programs for queue in program.queues]
    assert sorted(consumed) == sorted(QUEUES)
    for program in found.programs:
        if program.queues:
            assert program.argv[program.argv.index("-Q") + 1] == ",".join(program.queues)


def test_no_command_holds_a_secret(tmp_path):
    secrets = {"anthropic_api_key": "canary-key", "secret_keys": "canary-ring", "smtp_url": "smtp://u:canary@x"}
    found = table(tmp_path, database_url="sqlite:///canary", **secrets)
    assert "canary" not in str([program.argv for program in found.programs])
    assert "canary" not in repr(found)


def test_the_demo_comes_last(tmp_path):
    assert names(table(tmp_path, Choices(demo=True)))[-1] == "demo"
