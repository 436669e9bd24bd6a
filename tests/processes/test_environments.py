"""Which secrets each process gets, from the table alone; `test_up` looks at real ones."""

from __future__ import annotations

import pytest

from pigi.processes.environments import GRANTED, STORES, environment_for
from pigi.settings import Settings

SECRETS = {
    "PIGI_SECRET_KEYS": "a:marker",
    "ANTHROPIC_API_KEY": "sk-ant-marker,sk-ant-marker-2",
    "STRIPE_API_KEY": "rk_live_marker,sk_live_marker",
    "stripe_webhook_secret": "whsec_marker",
    "SMTP_URL": "smtps://pigi%40example.org:marker@mail.example:465",
}
SHELL = {
    **SECRETS,
    "PATH": "/bin",
    "LC_ALL": "C.UTF-8",
    "PIGI_HOME": "/srv/pigi",
    "PGPASSFILE": "/srv/pgpass",
    "DATABASE_URL": "postgresql://pigi:own@db.example/pigi",
    "AWS_SECRET_ACCESS_KEY": "marker",
    "HTTPS_PROXY": "http://user:marker@proxy.example",
    "GITHUB_TOKEN": "marker",
    "SSH_AUTH_SOCK": "marker",
    "PIGIOTHER": "marker",
}


@pytest.mark.parametrize("process", GRANTED)
def test_a_process_has_what_it_was_granted_and_addresses_without_passwords_of_the_rest(process):
    made = environment_for(process, SHELL, {"PYTHONPATH": "/app"})
    held = {name.upper() for name, value in made.items() if "marker" in value}
    stores = {"AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"} if STORES in GRANTED[process] else set()
    assert held == GRANTED[process] - {STORES} | stores
    settings = Settings(**{name.upper(): value for name, value in made.items()})
    assert settings.stripe_live
    assert "mail.example:465" in settings.smtp_url
    assert (made["PATH"], made["LC_ALL"], made["PYTHONPATH"]) == ("/bin", "C.UTF-8", "/app")
    assert {"PIGI_HOME", "PGPASSFILE", "DATABASE_URL"} <= set(made)


@pytest.mark.parametrize("process", ["redis", "stripe", "anthropic", "mail", "something new"])
def test_what_is_in_no_table_gets_no_setting_but_its_own(process):
    own = {"STANDIN_WEBHOOK_SECRET": "whsec_own"}
    assert environment_for(process, SHELL, own) == {"PATH": "/bin", "LC_ALL": "C.UTF-8", **own}


def test_each_secret_of_a_provider_goes_to_whoever_uses_it_and_beat_has_none():
    assert [name for name, some in GRANTED.items() if "ANTHROPIC_API_KEY" in some] == ["worker-ai"]
    assert [name for name, some in GRANTED.items() if "SMTP_URL" in some] == ["worker-quick"]
    assert GRANTED["beat"] == frozenset()
