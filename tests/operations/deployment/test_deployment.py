"""Production against real TLS: with all of it in order nothing is refused, and each single lapse by its own code."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from kombu import Connection
from kombu.exceptions import OperationalError
from sqlalchemy.engine import make_url

from pigi.jobs.queueing.transport import address_for_kombu
from pigi.operations.deployment import live_lapses, looks
from pigi.processes.addresses import get_json
from pigi.processes.environments import GRANTED, environment_for
from pigi.regions import is_in_the_union
from pigi.settings import Settings, problems_of
from tests.cli.forked import run
from tests.processes.conftest import until
from tests.support.certificates import certify
from tests.support.relay import reach, reach_unix, relay
from tests.support.up import Up

PASSWORD = "Wq7rTz0pLm"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def home():
    """Short enough for a socket, and closed to others."""
    made = Path(tempfile.mkdtemp(prefix="pigi-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def told(tmp_path_factory, home, postgresql_stores, redis_server):
    """The settings of a production that is in order; the servers under test have no TLS, so a relay has it for them."""
    folder = tmp_path_factory.mktemp("tls")
    known = certify(folder)
    mail = Controller(object(), "127.0.0.1", free_port(), tls_context=known.context, require_starttls=True)
    stores, control = postgresql_stores, postgresql_stores.fresh(home)
    redis_server.reset()
    mail.start()
    with (
        relay(known.context, reach_unix(str(redis_server.place.socket))) as redis_port,
        relay(known.context, reach(make_url(control.database_url)), asked=True) as port,
    ):
        where = f"postgresql+psycopg://postgres:{PASSWORD}@127.0.0.1:{port}"
        checked = f"?sslmode=verify-full&sslrootcert={known.ca_file}"
        tenant = control.tenant_database_url.partition("?")[0].rpartition("/")[2]
        yield {
            "PIGI_MODE": "production",
            "PIGI_HOME": str(home),
            "PIGI_SECRET_KEYS": "a:" + base64.b64encode(os.urandom(32)).decode(),
            "ANTHROPIC_API_KEY": "k",
            "PIGI_PUBLIC_URL": "https://pigi.example",
            "DATABASE_URL": f"{where}/{make_url(control.database_url).database}{checked}",
            "TENANT_DATABASE_URL": f"{where}/{tenant}{checked}",
            "REDIS_URL": f"rediss://127.0.0.1:{redis_port}?ssl_ca_certs={known.ca_file}",
            "PIGI_REGION": "eu-central-1",
            "SMTP_URL": f"smtp://pigi:{PASSWORD}@127.0.0.1:{mail.port}",
            "SMTP_CA_FILE": str(known.ca_file),
            "MAIL_FROM": "Pigi <pigi@example.org>",
            **{f"PIGI_{role}_ADDRESS": "pigi@example.org" for role in ("SUPPORT", "SECURITY", "PRIVACY")},
            "PIGI_OPERATOR": "Example, 1 Street, Ghent",
        }
    mail.stop()
    stores.clean(control)


def codes(told, **changed):
    settings = Settings(**told | changed)
    return [lapse.code for lapse in (*problems_of(settings), *live_lapses(settings))]


def test_each_single_lapse_of_the_settings_has_its_own_code(told, monkeypatch):
    url = told["DATABASE_URL"]
    written = (b"an example key, 32 letters long!", bytes(32), bytes(range(32)))
    weak = ["a:" + base64.b64encode(key).decode() for key in written]
    lapses = [
        ("keys_missing", {"PIGI_SECRET_KEYS": ""}),
        *(("keys_weak", {"PIGI_SECRET_KEYS": keys}) for keys in weak),
        ("model_key_missing", {"ANTHROPIC_API_KEY": ""}),
        ("model_elsewhere", {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}),
        ("mail_signs_in", {"SMTP_URL": "smtp://127.0.0.1:1"}),
        ("sender_missing", {"MAIL_FROM": ""}),
        ("sender_malformed", {"MAIL_FROM": "Pigi at example.org"}),
        ("operator_missing", {"PIGI_OPERATOR": ""}),
        ("public_plain", {"PIGI_PUBLIC_URL": "http://pigi.example"}),
        ("database_kind", {"DATABASE_URL": "sqlite:////tmp/none?host=/"}),
        ("database_plain", {"DATABASE_URL": url.replace("verify-full", "require")}),
        ("redis_plain", {"REDIS_URL": "redis://192.0.2.1:1"}),
        ("redis_unchecked", {"REDIS_URL": f"{told['REDIS_URL']}&ssl_cert_reqs=none"}),
        ("redis_unchecked", {"REDIS_URL": f"{told['REDIS_URL']}&ssl_check_hostname=false"}),
        ("authority_unreadable", {"REDIS_URL": f"{told['REDIS_URL']}.gone"}),
        ("authority_unreadable", {"SMTP_CA_FILE": __file__}),
        ("files_plain", {"FILES_URL": "s3://b/p?endpoint=http://127.0.0.1:1"}),
        ("files_outside", {"BACKUPS_URL": "s3://b/p?region=us-east-1"}),
        ("files_outside", {"FILES_URL": "s3://b/p"}),
        ("files_kind", {"FILES_URL": "ftp://b/p"}),
        ("files_kind", {"BACKUPS_URL": "file://relative/folder"}),
        ("recipient_malformed", {"PIGI_BACKUP_RECIPIENT": "age1nothing"}),
        ("password_default", {"DATABASE_URL": url.replace(PASSWORD, "postgres")}),
        ("region_outside", {"PIGI_REGION": "eu-west-2"}),
    ]
    found = [[lapse.code for lapse in problems_of(Settings(**told | change))] for _, change in lapses]
    assert found == [[code] for code, _ in lapses]
    for name, code in (("HTTPS_PROXY", "detour"), ("SSLKEYLOGFILE", "debugging")):
        with monkeypatch.context() as patched:
            patched.setenv(name, os.devnull)
            assert [lapse.code for lapse in problems_of(Settings(**told))] == [code]


def test_each_single_lapse_of_a_server_has_its_own_code(told):
    url, queue, mail = told["DATABASE_URL"], told["REDIS_URL"], told["SMTP_URL"]
    tls = queue.partition("?")[0].rpartition(":")[2]
    lapses = [
        ("database_untrusted", {"DATABASE_URL": url.split("&")[0] + "&sslrootcert=system"}),
        ("database_untrusted", {"DATABASE_URL": url.replace("@127.0.0.1", "@localhost")}),
        ("redis_untrusted", {"REDIS_URL": queue.split("?")[0]}),
        ("redis_untrusted", {"REDIS_URL": queue.replace("//127.0.0.1", "//localhost")}),
        ("redis_untrusted", {"REDIS_URL": f"rediss://127.0.0.1:{mail.rpartition(':')[2]}"}),
        ("mail_untrusted", {"SMTP_CA_FILE": None}),
        ("mail_untrusted", {"SMTP_URL": mail.replace("127.0.0.1", "localhost")}),
        ("files_untrusted", {"FILES_URL": f"s3://b/p?endpoint=https://127.0.0.1:{tls}"}),
    ]
    assert [codes(told, **change) for _, change in lapses] == [[code] for code, _ in lapses]


def test_workers_take_no_certificate_that_is_not_to_be_trusted(told):
    url = told["REDIS_URL"]
    with Connection(address_for_kombu(url)) as broker:
        broker.connect()
    for wrong in (url.partition("?")[0], url.replace("//127.0.0.1", "//localhost")):
        with Connection(address_for_kombu(wrong)) as broker, pytest.raises(OperationalError, match="CERTIFICATE"):
            broker.ensure_connection(max_retries=1, interval_start=0)


@pytest.mark.parametrize("process", GRANTED)
def test_a_process_that_has_few_secrets_breaks_no_rule_of_production(told, process):
    stripe = {"STRIPE_API_KEY": "rk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_x", "STRIPE_PRICES": "price_x=team"}
    assert codes(environment_for(process, told | stripe, {})) == []


def test_what_only_a_look_at_files_and_servers_tells(told, redis_server, tmp_path, monkeypatch):
    assert codes(told) == []
    keys = tmp_path / "keys"
    keys.write_text(told["PIGI_SECRET_KEYS"])
    keys.chmod(0o644)
    assert codes(told, PIGI_SECRET_KEYS=str(keys)) == ["keys_readable"]
    keys.chmod(0o600)
    tmp_path.chmod(0o770)
    assert codes(told, PIGI_SECRET_KEYS=str(keys)) == ["keys_readable"]
    tmp_path.chmod(0o700)
    assert codes(told, PIGI_SECRET_KEYS=str(keys)) == []
    open_home = tmp_path / "home"
    open_home.mkdir(mode=0o755)
    assert codes(told, PIGI_HOME=str(open_home)) == ["home_readable"]
    redis_server.client.config_set("maxmemory-policy", "allkeys-lru")
    assert codes(told) == ["redis_evicts"]
    redis_server.client.config_set("maxmemory-policy", "noeviction")
    real = looks.time.time
    monkeypatch.setattr(looks.time, "time", lambda: real() - 30)
    assert codes(told) == ["clocks_differ", "clocks_differ"]


def test_a_server_that_is_away_is_no_lapse(told):
    assert codes(told, REDIS_URL=f"rediss://127.0.0.1:{free_port()}") == []


def test_a_region_is_in_the_union_by_its_hosts_name_for_it():
    within = ("eu-central-1", "europe-west4", "westeurope", "fsn1", "nl-ams", "DE", "fi-hel1")
    beyond = ("", "eu-west-2", "eu-central-2", "europe-west2", "europe-west6", "europe", "uksouth", "eu-zurich-1")
    assert all(map(is_in_the_union, within))
    assert not any(map(is_in_the_union, (*beyond, "us-east-1", "eumel", "ch-gva-2", "norwayeast", "eu-west")))


def test_production_comes_up_against_tls_everywhere(told, home):
    up = Up(home, **told)
    try:
        up.wait_for("serving")
        until(lambda: get_json("127.0.0.1", up.port, "/readyz")[0] == 200, "readiness")
    finally:
        up.end()


def test_no_command_starts_with_a_lapse_and_each_says_so_in_one_line(told):
    environment = {**os.environ, **told, "REDIS_URL": told["REDIS_URL"].partition("?")[0]}
    for command in (["web"], ["worker", "quick"], ["beat"], ["up", "--json"]):
        refused = run(command, environment, "")
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "ssl_ca_certs" in refused.stderr


def test_check_tells_each_lapse_with_its_code(told):
    environment = {**os.environ, **told, "PIGI_MODE": "development", "PIGI_REGION": "us-east-1"}
    done = run(["check", "--deploy", "--json"], environment, "")
    assert done.returncode == 1
    found = {check["code"]: check["problem"] for check in json.loads(done.stdout)["checks"] if check["code"]}
    assert list(found) == ["region_outside"]
    assert "P17" in found["region_outside"]
