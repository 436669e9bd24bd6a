"""The process table of `pigi up`: which programs this installation needs, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pigi.embedded import redis as embedded
from pigi.jobs.queues import POOLS, queues_of
from pigi.processes import addresses, commands
from pigi.processes.idle import read_readiness
from pigi.processes.program import CannotStartError, Program, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.settings import Settings

WORKER_GRACE = 9.0
"""Two seconds more than a stopping worker leaves its jobs (worker/lifecycle.py); it then ends by itself."""
WORKER_READY = "worker ready: "
"""What worker/lifecycle.py logs; a worker answers nobody, by design."""
LOCAL = "127.0.0.1"
PLACEHOLDER_KEY = "stand-in"


@dataclass(frozen=True)
class Choices:
    """What was asked of `pigi up` beside the settings."""

    demo: bool = False
    standins: bool = True
    json: bool = False


@dataclass(frozen=True)
class Table:
    """The rows in the order of starting, and what a reader must be told of them."""

    programs: tuple[Program, ...]
    notes: tuple[str, ...]


def build(settings: Settings, choices: Choices) -> Table:
    """The table for these settings; raises CannotStartError or Misconfigured when there can be none."""
    programs: list[Program] = []
    notes: list[str] = []
    shared = {**commands.environment(), "PIGI_HOME": str(settings.home), "PIGI_PORT": str(settings.port)}
    if settings.redis_url == f"unix://{settings.home}/run/redis.sock":
        place = embedded.place_for(settings.home)
        shared["REDIS_URL"] = place.url
        programs.append(_redis(place))
        notes += _notes_on(place, settings.home)
    if settings.anthropic_base_url and not settings.anthropic_api_key and not settings.production:
        shared["ANTHROPIC_API_KEY"] = PLACEHOLDER_KEY
    elif not settings.anthropic_api_key:
        programs.append(_anthropic(settings, choices, shared))
        notes.append("Anthropic is a local stand-in: it writes canned drafts. Set ANTHROPIC_API_KEY for the real one.")
    if not settings.smtp_url:
        sink, outbox = _mail(settings, choices, shared)
        programs.append(sink)
        notes.append(
            f"Mail goes nowhere: a local sink takes it, and {outbox} shows it. Set SMTP_URL for a real mail server."
        )
    own = (_migrate(shared), _web(settings, shared), *_workers(shared), _beat(settings, shared))
    programs += [*own, *([_demo(choices, shared)] if choices.demo else [])]
    return Table(tuple(programs), tuple(notes))


def _redis(place: embedded.Place) -> Program:
    return Program(
        "redis",
        f"{embedded.name_of_server()}, nothing on disk",
        Stage.SERVERS,
        tuple(embedded.command(place)),
        ready=partial(embedded.answers, place),
        before=partial(embedded.clear, place),
    )


def _notes_on(place: embedded.Place, home: Path) -> list[str]:
    if not place.moved:
        return []
    why = f"{home} is too long for a socket, so Redis listens in {place.folder}."
    return [f"{why} Other commands need REDIS_URL={place.url}."]


def _anthropic(settings: Settings, choices: Choices, shared: dict[str, str]) -> Program:
    """The stand-in; fills in what the other programs need to find it."""
    if settings.production or not choices.standins:
        raise CannotStartError(sentence="there is no ANTHROPIC_API_KEY and stand-ins were not wanted; set the key")
    port = addresses.any_free()
    shared["ANTHROPIC_BASE_URL"] = f"http://{LOCAL}:{port}"
    shared["ANTHROPIC_API_KEY"] = PLACEHOLDER_KEY
    return Program(
        "anthropic",
        f"a stand-in, {LOCAL}:{port}",
        Stage.SERVERS,
        commands.anthropic_stand_in(port),
        environment=commands.environment(),
        ready=partial(addresses.answers, LOCAL, port, "/healthz"),
    )


def _mail(settings: Settings, choices: Choices, shared: dict[str, str]) -> tuple[Program, str]:
    """The sink and the address of its outbox; fills in what the workers need to find it."""
    if settings.production or not choices.standins:
        raise CannotStartError(sentence="there is no SMTP_URL and stand-ins were not wanted; set the mail server")
    port, pages = addresses.any_free(), addresses.any_free()
    outbox = f"http://{LOCAL}:{pages}"
    shared["SMTP_URL"] = f"smtp://{LOCAL}:{port}"
    sink = Program(
        "mail",
        f"a sink, its outbox at {outbox}",
        Stage.SERVERS,
        commands.mail_stand_in(port, pages),
        environment=commands.environment(),
        ready=partial(addresses.answers, LOCAL, pages, "/healthz"),
    )
    return sink, outbox


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
            f"worker-{pool}",
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
