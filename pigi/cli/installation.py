"""`pigi migrate` and `pigi check`: bringing the control database up to date, and checking the installation."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, cast

import click
import redis
from sqlalchemy.exc import SQLAlchemyError

from pigi.application import Application
from pigi.cli.output import answer, dim, green, json_option, red
from pigi.domain.plans import Plans
from pigi.domain.policy import PolicyError
from pigi.errors import Misconfigured
from pigi.operations.deployment import live_lapses
from pigi.operations.keys import refuse_missing_keys
from pigi.operations.organisations import request_migrations
from pigi.operations.policy import policy_history, unpublished_changes
from pigi.production import Lapse
from pigi.settings import Settings, problems_of
from pigi.store.keyring import Keyring
from pigi.store.migrate import control_head, control_revision, migrate_control

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER_SECONDS = 2.0
BILLING_MODES = {
    "off": "off: nobody is charged",
    "test": "on, with a key for tests: no money is real",
    "live": "on, with a live key",
}
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@click.command()
@json_option
def migrate(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Bring the control database to the newest revision now; organisations' own by a job each.

    Safe to repeat and to run while Pigi runs: each revision works with the version before it.
    """
    settings = Settings.from_environment()
    revision = migrate_control(settings.database_url)
    application = Application.open(settings)
    try:
        requested = request_migrations(application, "operator")
        policy_history(application)
    finally:
        application.dispose()
    text = f"The control database is at revision {revision}; {requested} organisations are being migrated."
    answer(as_json, {"revision": revision, "organisations_asked": requested}, text)


@click.command()
@click.option("--deploy", is_flag=True, help="Hold the settings to the rules of production, whatever PIGI_MODE says.")
@json_option
def check(deploy: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Look for what would keep Pigi from working here, change nothing; exit with 1 if there is something."""
    findings, billing = _run_checks(deploy=deploy), _billing_mode()
    lines = [
        f"{green('ok')}  {name}" if not problem else f"{red('no')}  {name}: {problem}" for name, problem in findings
    ]
    lines += [f"{dim('--')}  billing is {BILLING_MODES[billing]}"] if billing else []
    data = {
        "ok": not any(p for _, p in findings),
        "checks": [{"name": n, "problem": p, "code": _known_as(n, p)} for n, p in findings],
        "billing": billing,
    }
    answer(as_json, data, "\n".join(lines))
    if not data["ok"]:
        raise click.exceptions.Exit(1)


def _run_checks(*, deploy: bool) -> list[tuple[str, str | None]]:
    """Each check with its problem, which says the next step, or None.

    Settings come first; if they cannot be read, they are all there is.
    """
    try:
        settings = Settings()
    except ValueError:
        return [("settings", _unreadable())]
    if deploy:
        settings = settings.model_copy(update={"mode": "production"})
    problems: list[tuple[str, str | None]] = [("settings", problem) for problem in problems_of(settings)]
    checked = [(name, check_one(settings)) for name, check_one in CHECKS.items()]
    servers: list[tuple[str, str | None]] = [("servers", lapse) for lapse in live_lapses(settings)] if deploy else []
    return [*(problems or [("settings", None)]), *checked, *(servers or ([("servers", None)] if deploy else []))]


def _known_as(name: str, problem: str | None) -> str | None:
    """A stable code for programs: a lapse's own, else what was checked."""
    if problem is None:
        return None
    return problem.code if isinstance(problem, Lapse) else name.lower().replace(" ", "_")


def _billing_mode() -> str | None:
    """Whether anybody is charged, which no rule of production decides: a key of `BILLING_MODES`.

    None if the settings cannot be read.
    """
    try:
        settings = Settings()
    except ValueError:
        return None
    return "off" if not settings.stripe_api_key else "live" if settings.stripe_live else "test"


def _unreadable() -> str:
    try:
        Settings.from_environment()
    except Misconfigured as error:
        return str(error)
    return "could not be read"


def _keyring(settings: Settings) -> str | None:
    if not settings.secret_keys:
        return "PIGI_SECRET_KEYS must be set" if settings.production else None
    try:
        Keyring.from_settings(settings)
        _refuse_missing_keys(settings)
    except Misconfigured as error:
        return str(error)
    except OSError as error:
        return f"the file that PIGI_SECRET_KEYS names cannot be read: {error.strerror}"
    return None


def _refuse_missing_keys(settings: Settings) -> None:
    application = Application.open(settings)
    try:
        refuse_missing_keys(application)
    finally:
        application.dispose()


def _database(settings: Settings) -> str | None:
    try:
        found = control_revision(settings.database_url)
    except SQLAlchemyError:
        return "does not answer; see that it runs and that DATABASE_URL is right"
    if found >= control_head():
        return None
    return f"is at revision {found or 'none'}, this version needs {control_head()}; run `pigi migrate`"


def _redis(settings: Settings) -> str | None:
    client: redis.Redis = redis.Redis.from_url(
        settings.redis_url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
    )
    try:
        with client:
            client.ping()
            policy = _policy(client)
    except (redis.RedisError, OSError):
        return "does not answer; see that it runs and that REDIS_URL is right, or start `pigi up`"
    return (
        None
        if policy in {"noeviction", None}
        else f"has maxmemory-policy {policy}, which drops messages; set noeviction"
    )


def _policy(client: redis.Redis) -> str | None:
    """The eviction policy; None where the server keeps its configuration to itself, as hosted ones do."""
    try:
        found = cast("dict[str, str]", client.config_get("maxmemory-policy"))
    except redis.ResponseError:
        return None
    return found.get("maxmemory-policy")


def _home(settings: Settings) -> str | None:
    folder = settings.home
    if not folder.exists():
        return None
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written to by this user"
    return f"{folder} can be read by others; chmod 700 it" if folder.stat().st_mode & OTHERS else None


def _plans(settings: Settings) -> str | None:
    try:
        Plans.from_settings(settings)
    except Misconfigured as error:
        return str(error)
    return None


def _policy_text(settings: Settings) -> str | None:
    """Whether somebody has published since this release brought another text."""
    if _database(settings) is not None:
        return None
    application = Application.open(settings)
    try:
        changes = unpublished_changes(application)
    except PolicyError as error:
        return f"this release's text cannot be shown: {error}"
    finally:
        application.dispose()
    if not changes:
        return None
    return f"this release's text changes {len(changes)} sentences of it; see `pigi policy publish --dry-run`"


CHECKS: dict[str, Callable[[Settings], str | None]] = {
    "PIGI_HOME": _home,
    "keyring": _keyring,
    "plans": _plans,
    "control database": _database,
    "policy": _policy_text,
    "redis": _redis,
}
