"""`Program`, a row of the process table: what the supervisor knows of a program before it runs."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from pigi.errors import PigiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Stage(IntEnum):
    """Where a program stands: it starts after the lower ones and stops before them."""

    SERVERS = 1
    """What everything else talks to: Redis, stand-ins, the migrated database."""
    WEB = 2
    WORKERS = 3
    BEAT = 4
    SHOW = 5


@dataclass(frozen=True)
class Program:
    """A row of the process table.

    Attributes:
        name: also names its log file.
        shown: a few words for the console: what it is or where it answers.
        argv: the command; never holds a secret, since every user of a machine sees commands.
        environment: what it gets beside what `pigi.processes.environments` lets it have of the supervisor's own.
        ready: called several times a second after the start; None means ready once started.
        ready_line: words in its log that say the same, for programs that answer nobody.
        ready_within: seconds after which `up` gives up on the first start: far more than a busy machine takes.
        before: run in the supervisor before each start; may raise PigiError.
        grace: seconds between the polite signal and SIGKILL.
        once: it runs to its end instead of being kept running; a failure stops `up` unless it is ``on_console``.
        on_console: it writes to the console instead of a log.
        queues: the queues it consumes, when it is a worker.
    """

    name: str
    shown: str
    stage: Stage
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: Callable[[], bool] | None = None
    ready_line: str = ""
    ready_within: float = 120.0
    before: Callable[[], object] | None = None
    grace: float = 2.0
    polite: signal.Signals = signal.SIGTERM
    once: bool = False
    on_console: bool = False
    queues: tuple[str, ...] = ()


class CannotStartError(PigiError):
    """The installation cannot be started like this; ``sentence`` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__("cannot_start")
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence
