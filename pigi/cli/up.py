"""`pigi up`: everything in one process tree, for development and small installations."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import OperationalError

from pigi.cli.output import bold, dim, green, json_option, red, say
from pigi.cli.processes import check_keys
from pigi.operations.deployment import refuse_lapses
from pigi.processes import addresses
from pigi.processes.home import only_one
from pigi.processes.idle import IdleWorkers, read_readiness
from pigi.processes.logs import Logs
from pigi.processes.program import CannotStartError
from pigi.processes.supervisor import Supervisor
from pigi.processes.table import Choices, Table, address_of, build
from pigi.settings import Settings
from pigi.store.files import private_folder
from pigi.store.migrate import control_revision

if TYPE_CHECKING:
    from pigi.processes.supervisor import Event

NAME_WIDTH = 13
SHOWN_WIDTH = 48


@click.command()
@click.option("--demo", is_flag=True, help="Then do the main job in front of you; takes the next free port if need be.")
@click.option(
    "--no-standins",
    is_flag=True,
    help="Refuse to start rather than stand in for a service without a key; without Stripe nobody is charged.",
)
@json_option
def up(demo: bool, no_standins: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Run everything until Ctrl-C: Redis if none is named, stand-ins in development, web, workers, beat.

    What dies is started again. Logs are in PIGI_HOME/logs.
    """
    settings = Settings.from_environment()
    if demo and settings.production:
        raise CannotStartError(
            sentence="the demo makes an organisation of its own and is for development; leave out --demo"
        )
    refuse_lapses(settings)
    home = private_folder(settings.home)
    with only_one(home, address_of(settings)) as note_address:
        _look_at_keys(settings)
        settings = _with_free_port(settings, demo=demo)
        note_address(address_of(settings))
        table = build(settings, Choices(demo=demo, standins=not no_standins, json=as_json))
        if not as_json:
            _introduce(settings, table)
        supervisor = Supervisor(table.programs, Logs(home / "logs"), _print_json if as_json else _print)
        supervisor.periodic_checks.append(
            IdleWorkers(supervisor, table.programs, lambda: read_readiness(settings.host, settings.port))
        )
        supervisor.on_started = lambda: _serving(settings, demo=demo, as_json=as_json)
        supervisor.run()


def _look_at_keys(settings: Settings) -> None:
    """Raise Misconfigured if a key was taken away too early: the programs that are started here do not look themselves.

    A database that is not there yet has nothing under any key, and one that is away is the migration's to report.
    """
    with suppress(OperationalError):
        if control_revision(settings.database_url):
            check_keys(settings)


def _with_free_port(settings: Settings, *, demo: bool) -> Settings:
    """The settings, with the next free port for a demo; raises CannotStartError if the port is taken."""
    if addresses.is_free(settings.host, settings.port):
        return settings
    port = addresses.next_free(settings.host, settings.port)
    if not demo or port is None:
        hint = f"; PIGI_PORT={port} would be free" if port else ""
        raise CannotStartError(sentence=f"port {settings.port} on {settings.host} is taken{hint}")
    os.environ["PIGI_PORT"] = str(port)
    return Settings.from_environment()


def _introduce(settings: Settings, table: Table) -> None:
    say(f"\n{bold('Pigi')} {dim(f'in {settings.home}, {settings.mode} mode')}")
    for note in table.notices:
        say(click.wrap_text(note, width=78, initial_indent="  ", subsequent_indent="  "))
    say()


def _serving(settings: Settings, *, demo: bool, as_json: bool) -> None:
    """With a demo the address comes after the story, where it can be seen."""
    if as_json:
        say(json.dumps({"event": "serving", "address": address_of(settings)}))
    elif not demo:
        say(f"\n  Serving on {bold(address_of(settings))} {dim('until Ctrl-C')}\n")


def _print(event: Event) -> None:
    """An event in words."""
    line = _line(event)
    if line:
        say(line)


def _print_json(event: Event) -> None:
    """An event as a line of JSON."""
    say(json.dumps({"event": event.kind, **{k: v for k, v in asdict(event).items() if k != "kind"}}))


def _line(event: Event) -> str:
    name = event.program.ljust(NAME_WIDTH)
    if event.kind == "ready":
        return f"  {green('●')} {name} {event.text.ljust(SHOWN_WIDTH)} {dim(f'{event.seconds:5.1f} s')}"
    if event.kind == "died":
        return f"  {red('○')} {name} {event.text}; starting it again in {event.seconds:.1f} s"
    if event.kind == "restarted":
        return f"  {red('○')} {name} {event.text}; starting it again"
    if event.kind == "killed":
        return f"  {red('○')} {name} {event.text}; killed"
    return {"stopping": "\n  Stopping.", "stopped": "  Stopped; nothing is left running."}.get(event.kind, "")
