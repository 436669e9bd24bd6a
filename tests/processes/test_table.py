from __future__ import annotations

import pytest

from pigi.domain.plans import Plans
from pigi.domain.stripe_api import WEBHOOK_PATH
from pigi.jobs.queues import POOLS, QUEUES
from pigi.processes.program import CannotStartError
from pigi.processes.table import Choices, build
from pigi.settings import Settings
from standins.stripe.catalogue import PRICES

STRIPE = {"stripe_api_key": "sk_test_x", "stripe_webhook_secret": "whsec_x", "stripe_prices": "price_x=team"}
NAMES = {
    "STRIPE_API_BASE": "stripe_api_base",
    "STRIPE_API_KEY": "stripe_api_key",
    "STRIPE_WEBHOOK_SECRET": "stripe_webhook_secret",
    "STRIPE_PRICES": "stripe_prices",
}
WORKERS = [f"worker-{pool}" for pool in POOLS]


def table(tmp_path, choices=None, **given):
    return build(Settings(home=tmp_path, **given), choices or Choices())


def names(found):
    return [program.name for program in found.programs]


def program_of(found, name):
    return next(program for program in found.programs if program.name == name)


def environment_of(found, name):
    return program_of(found, name).environment


def test_a_bare_development_machine_gets_everything(tmp_path):
    found = table(tmp_path)
    assert names(found) == ["redis", "anthropic", "stripe", "mail", "migrate", "web", *WORKERS, "beat"]
    assert any("stand-in" in note for note in found.notices)
    for name in ("web", *WORKERS, "beat"):
        environment = environment_of(found, name)
        assert environment["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
        assert environment["ANTHROPIC_API_KEY"]
        assert environment["REDIS_URL"].startswith("unix://")
        assert environment["SMTP_URL"].startswith("smtp://127.0.0.1:")


def test_the_outbox_is_where_the_note_says(tmp_path):
    found = table(tmp_path)
    (note,) = [note for note in found.notices if "Mail goes nowhere" in note]
    sink = program_of(found, "mail")
    assert f"http://127.0.0.1:{sink.argv[-1]} " in note


def test_what_is_named_is_not_started(tmp_path):
    found = table(tmp_path, redis_url="redis://127.0.0.1:1/0", anthropic_api_key="a-key", smtp_url="smtp://x", **STRIPE)
    assert names(found) == ["migrate", "web", *WORKERS, "beat"]
    assert found.notices == ()
    assert not {"ANTHROPIC_API_KEY", "STRIPE_API_KEY", "STRIPE_API_BASE"} & set(environment_of(found, "web"))


def test_an_address_of_ones_own_needs_no_key(tmp_path):
    found = table(tmp_path, anthropic_base_url="http://127.0.0.1:1")
    assert "anthropic" not in names(found)
    assert environment_of(found, "worker-ai")["ANTHROPIC_API_KEY"]


def test_stripes_stand_in_and_the_other_programs_know_each_other(tmp_path):
    found = table(tmp_path)
    standin = program_of(found, "stripe")
    given = Settings(home=tmp_path, **{field: environment_of(found, "web")[name] for name, field in NAMES.items()})
    assert standin.argv[standin.argv.index("--public") + 1] == given.stripe_api_base
    # What reconciliation looks for in the account, or each check would find a fault.
    assert standin.argv[standin.argv.index("--webhook") + 1] == given.public_url + WEBHOOK_PATH
    assert standin.environment["STANDIN_WEBHOOK_SECRET"] == given.stripe_webhook_secret
    assert not given.stripe_live
    assert set(Plans.from_settings(given).by_price) == {entry.partition("=")[0] for entry in PRICES.split(",")}
    (note,) = [note for note in found.notices if "no money is real" in note]
    assert f"{given.stripe_api_base} " in note


def test_nobody_is_charged_where_stripe_is_neither_set_up_nor_played(tmp_path):
    known = {"anthropic_api_key": "a-key", "smtp_url": "smtp://x"}
    for found in (table(tmp_path, mode="production", **known), table(tmp_path, Choices(standins=False), **known)):
        assert "stripe" not in names(found)
        assert not [name for name in environment_of(found, "web") if name.startswith("STRIPE")]
        assert any("Nobody is charged" in note for note in found.notices)


def test_a_stripe_of_ones_own_needs_no_key_but_the_rest(tmp_path):
    own = {"stripe_api_base": "http://127.0.0.1:1"}
    found = table(tmp_path, **own, stripe_webhook_secret="whsec_own", stripe_prices="price_own=team")
    assert "stripe" not in names(found)
    assert environment_of(found, "worker-quick")["STRIPE_API_KEY"].startswith("sk_test_")
    with pytest.raises(CannotStartError, match="STRIPE_WEBHOOK_SECRET"):
        table(tmp_path, **own)


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
    secrets = {
        "anthropic_api_key": "canary-key",
        "secret_keys": "canary-ring",
        "smtp_url": "smtp://u:canary@x",
        "stripe_api_key": "sk_test_canary",
        "stripe_webhook_secret": "whsec_canary",
    }
    found = table(tmp_path, database_url="sqlite:///canary", **secrets)
    assert "canary" not in str([program.argv for program in found.programs])
    assert "canary" not in repr(found)


def test_no_command_holds_the_secret_that_a_stand_in_signs_with(tmp_path):
    found = table(tmp_path)
    secret = environment_of(found, "web")["STRIPE_WEBHOOK_SECRET"]
    assert secret.startswith("whsec_")
    assert secret not in str([program.argv for program in found.programs])
    assert secret not in repr(found)
    assert secret != environment_of(table(tmp_path), "web")["STRIPE_WEBHOOK_SECRET"]


def test_the_demo_comes_last(tmp_path):
    assert names(table(tmp_path, Choices(demo=True)))[-1] == "demo"
