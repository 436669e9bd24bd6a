"""Commands on a real SQLite installation."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from importlib.metadata import version

import pytest

from pigi.ids import new_id
from pigi.privacy.inventory import inventory


@pytest.fixture
def installed(pigi):
    done = pigi("migrate")
    assert done.returncode == 0, done.stderr
    return pigi


def test_migrating_twice_is_harmless(installed):
    again = installed("migrate", "--json")
    assert json.loads(again.stdout)["organisations_asked"] == 0
    assert again.stderr == ""


def test_an_organisation_and_its_key(installed):
    made = installed("organisations", "add", "Example")
    organisation = made.stdout.strip()
    assert json.loads(installed("organisations", "list", "--json").stdout) == [
        {"id": organisation, "name": "Example", "state": "active"}
    ]
    issued = installed("api-keys", "add", organisation, "--days", "7", "--json")
    key = json.loads(issued.stdout)["key"]
    key_id = key.split("_")[1]
    assert installed("api-keys", "revoke", key_id).returncode == 0
    again = installed("api-keys", "revoke", key_id)
    assert again.returncode == 1
    assert "pigi api-keys list" in again.stderr


def test_a_key_is_revoked_by_the_id_that_the_list_shows(installed):
    organisation = installed("organisations", "add", "Example").stdout.strip()
    assert "pigi api-keys add" in installed("api-keys", "list", "--organisation", organisation).stdout
    token = installed("api-keys", "add", organisation, "--label", "deploy").stdout.strip()
    shown = installed("api-keys", "list", "--organisation", organisation)
    assert token.split("_")[2] not in shown.stdout
    head, line = shown.stdout.splitlines()
    assert head.split()[:2] == ["ID", "STATE"]
    assert line.endswith("deploy")
    assert installed("api-keys", "revoke", line.split()[0]).returncode == 0
    (key,) = json.loads(installed("api-keys", "list", "--organisation", organisation, "--json").stdout)
    assert (key["state"], key["label"]) == ("revoked", "deploy")


def test_the_version_is_the_packages(pigi):
    assert pigi("--version").stdout == f"pigi {version('pigi')}\n"


@pytest.mark.parametrize(
    ("words", "message", "next_step"),
    [
        (("jobs", "list", "--organisation", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("audit", "list", "--organisation", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("organisations", "show", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("keys", "rotate", "--organisation", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("export", "--organisation", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("export", "--account", "x@example.org"), "There is no account x@example.org.", "signs in"),
        (("erase", "--organisation", "", "--reason", "r"), "There is no organisation “”", "pigi organisations list"),
        (("jobs", "list", "--before", "nope"), "There is no job nope.", "pigi jobs list"),
        (
            ("holds", "approve", "nope", "--as", "x@example.org"),
            "There is no operator x@example.org.",
            "operators list",
        ),
        (("requests", "show", "nope"), "There is no request nope.", "pigi requests list"),
        (("tickets", "show", "nope"), "There is no message nope.", "pigi tickets list"),
        (("api-keys", "revoke", "0" * 32), "There is no live key 00000000-0000-", "pigi api-keys list"),
        (("accounts", "reset-second-factor", "a\nb"), "There is no account a?b.", "sign in"),
        (("api-keys", "list", "--organisation", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("api-keys", "add", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("billing", "grant", "nope", "team"), "There is no organisation nope.", "pigi organisations list"),
        (("billing", "sync", "nope"), "There is no organisation nope.", "pigi organisations list"),
        (("jobs", "show", "nope"), "There is no job nope.", "pigi jobs list"),
        (("operators", "disable", "x@example.org"), "There is no operator x@example.org.", "pigi operators list"),
        (("operators", "enable", "x@example.org"), "There is no operator x@example.org.", "pigi operators list"),
        (
            ("organisations", "add", "Example", "--owner", "x@example.org"),
            "There is no account x@example.org.",
            "register",
        ),
    ],
)
def test_what_is_not_there_is_named_with_the_next_step(installed, words, message, next_step):
    refused = installed(*words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"pigi: {message}")
    assert next_step in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_all_keys_are_listed_and_a_key_is_revoked_by_its_public_part(installed):
    organisation = installed("organisations", "add", "Example").stdout.strip()
    issued = installed("api-keys", "add", organisation, "--label", "deploy")
    token = issued.stdout.strip()
    (listed,) = json.loads(installed("api-keys", "list", "--json").stdout)
    assert (listed["organisation_id"], listed["label"]) == (organisation, "deploy")
    assert listed["id"] in issued.stderr
    shown = json.loads(installed("organisations", "show", organisation, "--json").stdout)
    assert (shown["name"], shown["state"], shown["members"], shown["api_keys"]) == ("Example", "active", 0, 1)
    secret = token.rpartition("_")[2]
    revoked = installed("api-keys", "revoke", token)
    assert revoked.returncode == 0
    again = installed("api-keys", "revoke", token)
    assert again.returncode == 1
    wrong = installed("api-keys", "revoke", f"x_{secret}")
    assert wrong.returncode == 2
    assert secret not in revoked.stdout + again.stderr + wrong.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("promises", "attest", "x", "--as", "a@example.org", "--until", "2026-13-45", "--statement", "s"),
            "2026-13-45 is",
        ),
        (("jobs", "list", "--kind", "nope"), "there is no kind nope"),
        (("unknown",), "No such command 'unknown'"),
    ],
)
def test_wrong_usage_is_said_in_words_and_in_json_when_asked(installed, words, message):
    wrong = installed(*words, "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    told = json.loads(wrong.stderr)
    assert (told["code"], message in told["message"], "%Y" in wrong.stderr) == ("usage", True, False)
    assert "--help" in told["next"]


def test_no_jobs_is_said(installed):
    assert installed("jobs", "list").stdout == "No such jobs.\n"
    assert json.loads(installed("jobs", "list", "--json").stdout) == []


@pytest.mark.parametrize("command", ["show", "cancel", "retry"])
def test_a_job_that_is_not_there_is_one_line(installed, command):
    refused = installed("jobs", command, new_id())
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("pigi: ")
    assert refused.stderr.count("\n") == 1


def test_the_home_is_private(installed):
    home = installed.home / "var"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not [path for path in home.rglob("*") if path.stat().st_mode & 0o077]


def test_a_missing_database_names_the_next_step(pigi):
    refused = pigi("jobs", "list")
    assert refused.returncode == 1
    assert "run `pigi migrate`" in refused.stderr


def test_a_database_that_is_away_is_one_line(pigi):
    refused = pigi("jobs", "list", DATABASE_URL="postgresql+psycopg://nobody:canary@127.0.0.1:1/none?connect_timeout=2")
    assert refused.returncode == 1
    assert refused.stderr.startswith("pigi: The database does not answer.")
    assert "canary" not in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_failures_are_json_when_asked(pigi):
    refused = pigi("jobs", "list", "--json", PIGI_PORT="no-number")
    data = json.loads(refused.stderr)
    assert data["code"] == "misconfigured"
    assert "PIGI_PORT" in data["message"]
    assert "no-number" not in refused.stderr


@pytest.mark.parametrize(
    "words", [("unknown",), ("jobs", "list", "--state", "unknown"), ("worker", "unknown"), ("up", "x")]
)
def test_wrong_usage_is_2(pigi, words):
    wrong = pigi(*words)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_check_lists_what_is_wrong_and_how_to_settle_it(pigi):
    found = pigi("check", "--json")
    assert found.returncode == 1
    problems = {check["name"]: check["problem"] for check in json.loads(found.stdout)["checks"]}
    assert problems["settings"] is None
    assert "pigi migrate" in problems["control database"]
    assert "pigi up" in problems["redis"]


def test_check_deploy_holds_development_to_production(pigi):
    found = pigi("check", "--deploy")
    assert found.returncode == 1
    for name in ("PIGI_SECRET_KEYS", "ANTHROPIC_API_KEY", "PIGI_PUBLIC_URL", "PIGI_REGION", "DATABASE_URL"):
        assert name in found.stdout


@pytest.mark.parametrize(
    ("key", "mode", "said"),
    [("", "off", "nobody is charged"), ("rk_test_x", "test", "no money is real"), ("rk_live_x", "live", "a live key")],
)
def test_check_says_whether_billing_is_on(pigi, key, mode, said):
    stripe = {"STRIPE_API_KEY": key} | ({"STRIPE_WEBHOOK_SECRET": "whsec_x", "STRIPE_PRICES": "p=team"} if key else {})
    assert said in pigi("check", "--deploy", **stripe).stdout
    assert json.loads(pigi("check", "--json", **stripe).stdout)["billing"] == mode


def test_check_finds_plans_that_cannot_be_read(pigi):
    found = json.loads(pigi("check", "--json", PIGI_PLANS='{"gold": {}}').stdout)
    assert "'gold'" in {check["name"]: check["problem"] for check in found["checks"]}["plans"]


def test_the_inventory_needs_no_installation(pigi):
    found = json.loads(pigi("inventory", "--json").stdout)
    assert {place["name"] for place in found["places"]} == {place.name for place in inventory()}
    shown = pigi("inventory").stdout
    assert {"control", "tenant", "stripe"} <= set(shown.splitlines())
    assert not (pigi.home / "var").exists()


def test_check_changes_nothing(pigi):
    pigi("check")
    assert not (pigi.home / "var").exists()


def test_production_refuses_a_demo(pigi):
    refused = pigi("up", "--demo", PIGI_MODE="production")
    assert refused.returncode == 1
    assert "Misconfigured" not in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_demo_without_an_installation_names_the_next_step(installed):
    refused = installed("demo", PIGI_PORT="9")
    assert refused.returncode == 1
    assert "start `pigi up` first" in refused.stderr


def test_help_loads_nothing_heavy(pigi):
    program = "import sys; from pigi.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=pigi.environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert not loaded & {"sqlalchemy", "pydantic", "celery", "redis", "flask", "anthropic", "httpx2", "email_validator"}
