"""A program while it runs: start, look, stop. Nothing here decides; the supervisor does."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pigi.processes.environments import environment_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.processes.logs import Logs
    from pigi.processes.program import Program

PR_SET_PDEATHSIG = 1
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
STEADY_SECONDS = 10.0
"""A child that lived so long was well; its next restart is quick again."""


class Child:
    """One program's process, and how often it had to be started."""

    def __init__(self, program: Program, logs: Logs) -> None:
        self.program = program
        self.logs = logs
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.ready = False
        self.once_ready = False
        self.deaths = 0
        self.restart_at: float | None = None
        self._pause = FIRST_PAUSE
        self._log_from = 0

    @property
    def alive(self) -> bool:
        """Whether its main process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def age(self) -> float:
        """Seconds since it was last started."""
        return time.monotonic() - self.started_at

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor.

        Raises PigiError from the program's ``before``, OSError if the command cannot be run.
        """
        if self.program.before is not None:
            self.program.before()
        self.ready, self.restart_at, self.started_at = False, None, time.monotonic()
        self._log_from = self.logs.size(self.program.name)
        output = None if self.program.on_console else self.logs.open(self.program.name)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - from the process table
                self.program.argv,
                env=environment_for(self.program.name, os.environ, self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Safe only because the supervisor has one thread; a second one would also break the parent-death
                # signal, which is sent when the *thread* that started the child ends.
                preexec_fn=_set_parent_death_signal(),  # noqa: PLW1509
            )
        finally:
            if output is not None:
                os.close(output)

    def check_ready(self) -> bool:
        """Whether it is ready; once ready, it stays so until its next start."""
        if not self.ready and self.alive and self._seems_ready():
            self.ready = self.once_ready = True
        return self.ready

    def plan_restart(self) -> float:
        """Count a death and decide when to start it again; returns the pause in seconds."""
        self.deaths += 1
        pause = FIRST_PAUSE if self.age > STEADY_SECONDS else self._pause
        self._pause = min(pause * 2, LONGEST_PAUSE)
        self.restart_at = time.monotonic() + pause
        return pause

    def _seems_ready(self) -> bool:
        program = self.program
        if program.ready_line and not self.logs.says(program.name, program.ready_line, self._log_from):
            return False
        return program.ready is None or program.ready()

    def ask_to_stop(self) -> None:
        """Send the polite signal to its main process."""
        if self.process is not None and self.alive:
            with suppress(ProcessLookupError):
                self.process.send_signal(self.program.polite)

    def sweep(self) -> None:
        """Kill whatever is left of its process group: a main process killed by force leaves children behind."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def how_it_ended(self) -> str:
        """The end of its main process, for people."""
        code = self.process.returncode if self.process is not None else None
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"


def _set_parent_death_signal() -> partial[None] | None:
    """What makes the kernel stop a child when the supervisor dies, however it dies; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    # Looked up before the fork: between fork and exec nothing may load or allocate much.
    return partial(_die_with_parent, ctypes.CDLL(None).prctl, os.getpid())


def _die_with_parent(prctl: Callable[..., int], supervisor: int) -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)
