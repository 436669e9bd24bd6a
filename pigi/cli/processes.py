"""`pigi web`, `pigi worker` and `pigi beat`: commands that replace themselves by the program, so signals reach it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from pigi.application import Application
from pigi.jobs.queues import POOLS
from pigi.operations.deployment import refuse_lapses
from pigi.operations.keys import refuse_missing_keys
from pigi.processes import commands
from pigi.processes.environments import environment_for, worker_name
from pigi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command()
def web() -> None:
    """Become the web server, on PIGI_HOST and PIGI_PORT."""
    _become("web", commands.web(_fit()), commands.environment())


@click.command()
@click.argument("pool", type=click.Choice(list(POOLS)))
def worker(pool: str) -> None:
    """Become the worker process of POOL. SIGTERM lets it finish what is short and hand back the rest."""
    _fit()
    _become(worker_name(pool), commands.worker(pool), commands.worker_environment(pool))


@click.command()
def beat() -> None:
    """Become the pump and the schedules. Several may run; the database keeps them from doing things twice."""
    _fit()
    _become("beat", commands.beat(), commands.environment())


def _fit() -> Settings:
    """The settings, if nothing forbids a start; raises Misconfigured."""
    settings = Settings.from_environment()
    refuse_lapses(settings)
    check_keys(settings)
    return settings


def check_keys(settings: Settings) -> None:
    """Raise Misconfigured if a key was taken from the keyring while rows are under it: they would not open."""
    application = Application.open(settings)
    try:
        refuse_missing_keys(application)
    finally:
        application.dispose()


def _become(name: str, argv: tuple[str, ...], own: Mapping[str, str]) -> NoReturn:
    sys.stdout.flush()
    os.execve(argv[0], argv, environment_for(name, os.environ, own))  # noqa: S606 - no shell is wanted
