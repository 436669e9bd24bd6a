"""The process table of `pigi up`: which programs this installation needs, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pigi.embedded import redis as embedded
from pigi.jobs.queues import POOLS, queues_of
from pigi.processes import addresses, commands, standins
from pigi.processes.environments import worker_name
from pigi.processes.idle import read_readiness
from pigi.processes.program import Program, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.settings import Settings

WORKER_GRACE = 9.0
"""Two seconds more than a stopping worker leaves its jobs (worker/lifecycle.py); it then ends by itself."""
WORKER_READY = "worker ready: "
"""What worker/lifecycle.py logs; a worker answers nobody, by design."""


@dataclass(frozen=True)
class Choices:
    """The options of `pigi up`, beside the settings."""

    demo: bool = False
    standins: bool = True
    json: bool = False


@dataclass(frozen=True)
class Table:
    """The rows in the order of starting, and notices about them for whoever reads the output."""

    programs: tuple[Program, ...]
    notices: tuple[str, ...]


def build(settings: Settings, choices: Choices) -> Table:
    """The table for these settings; raises CannotStartError or Misconfigured when there can be none."""
    programs: list[Program] = []
    notices: list[str] = []
    shared = {**commands.environment(), "PIGI_HOME": str(settings.home), "PIGI_PORT": str(settings.port)}
    if settings.redis_url == f"unix://{settings.home}/run/redis.sock":
        endpoint = embedded.endpoint_for(settings.home)
        shared["REDIS_URL"] = endpoint.url
        programs.append(_redis(endpoint))
        notices += _notices_on(endpoint, settings.home)
    played, of_them = standins.rows(settings, address_of(settings), shared, wanted=choices.standins)
    programs += played
    notices += of_them
    own = (_migrate(shared), _web(settings, shared), *_workers(shared), _beat(settings, shared))
    programs += [*own, *([_demo(choices, shared)] if choices.demo else [])]
    return Table(tuple(programs), tuple(notices))


def _redis(endpoint: embedded.Endpoint) -> Program:
    return Program(
        "redis",
        f"{embedded.name_of_server()}, nothing on disk",
        Stage.SERVERS,
        tuple(embedded.command(endpoint)),
        ready=partial(embedded.answers, endpoint),
        before=partial(embedded.clear, endpoint),
    )


def _notices_on(endpoint: embedded.Endpoint, home: Path) -> list[str]:
    if not endpoint.moved:
        return []
    why = f"{home} is too long for a socket, so Redis listens in {endpoint.folder}."
    return [f"{why} Other commands need REDIS_URL={endpoint.url}."]


def _migrate(shared: dict[str, str]) -> Program:
    return Program("migrate", "the control database", Stage.SERVERS, commands.pigi("migrate"), shared, once=True)


def _web(settings: Settings, shared: dict[str, str]) -> Program:
    return Program(
        "web",
        address_of(settings),
        Stage.WEB,
        commands.web(settings),
        environment=shared,
        ready=partial(addresses.answers, settings.host, settings.port, "/healthz"),
        grace=commands.WEB_KILL_SECONDS + 0.5,
    )


def _workers(shared: dict[str, str]) -> list[Program]:
    return [
        Program(
            worker_name(pool),
            ", ".join(queues_of(pool)),
            Stage.WORKERS,
            commands.worker(pool),
            environment={**shared, **commands.worker_environment(pool)},
            ready_line=WORKER_READY,
            grace=WORKER_GRACE,
            queues=tuple(queues_of(pool)),
        )
        for pool in POOLS
    ]


def _beat(settings: Settings, shared: dict[str, str]) -> Program:
    return Program(
        "beat",
        "the pump and the schedules",
        Stage.BEAT,
        commands.beat(),
        environment=shared,
        ready=lambda: read_readiness(settings.host, settings.port).get("pump", False),
    )


def _demo(choices: Choices, shared: dict[str, str]) -> Program:
    words = ("demo", "--json") if choices.json else ("demo",)
    return Program("demo", "the main job", Stage.SHOW, commands.pigi(*words), shared, once=True, on_console=True)


def address_of(settings: Settings) -> str:
    """Where the web server answers on this machine."""
    host = addresses.reachable(settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
