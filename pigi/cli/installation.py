"""`pigi migrate` and `pigi check`."""

from __future__ import annotations

import click

from pigi.application import Application
from pigi.cli.inspection import BILLING_MODES, billing_mode, inspect
from pigi.cli.output import answer, dim, green, json_option, red
from pigi.operations.organisations import ask_for_migrations
from pigi.settings import Settings
from pigi.store.migrate import migrate_control


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
        asked = ask_for_migrations(application, "operator")
    finally:
        application.dispose()
    text = f"The control database is at revision {revision}; {asked} organisations are being migrated."
    answer(as_json, {"revision": revision, "organisations_asked": asked}, text)


@click.command()
@click.option("--deploy", is_flag=True, help="Hold the settings to the rules of production, whatever PIGI_MODE says.")
@json_option
def check(deploy: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Look for what would keep Pigi from working here, change nothing; exit with 1 if there is something."""
    findings, billing = inspect(deploy=deploy), billing_mode()
    lines = [
        f"{green('ok')}  {name}" if not problem else f"{red('no')}  {name}: {problem}" for name, problem in findings
    ]
    lines += [f"{dim('--')}  billing is {BILLING_MODES[billing]}"] if billing else []
    data = {
        "ok": not any(problem for _, problem in findings),
        "checks": [{"name": n, "problem": p} for n, p in findings],
        "billing": billing,
    }
    answer(as_json, data, "\n".join(lines))
    if not data["ok"]:
        raise click.exceptions.Exit(1)
