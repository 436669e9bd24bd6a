"""The supervisor: keeps the programs of a table running until a signal stops it. One thread, by need: see `child`.

Each event goes to ``report``: what became ready, what died and when it starts again, what was stopped.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pigi.errors import PigiError
from pigi.processes.child import Child
from pigi.processes.program import CannotStartError, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pigi.processes.logs import Logs
    from pigi.processes.program import Program

WAVES = ((Stage.SERVERS,), (Stage.WEB, Stage.WORKERS, Stage.BEAT), (Stage.SHOW,))
"""What starts together. Web, workers and beat need only the servers, and not one another."""
LOOK_SECONDS = 0.05
CHECKS_SECONDS = 5.0
STOP_SECONDS = 12.0
"""For all together; whatever runs after that is killed."""
RESTART_GRACE = 3.0
"""For one that lives but does nothing. Nothing else is watched meanwhile, so it is short."""
EARLY_DEATHS = 3
"""A program that dies so often before it was ever ready will not start by itself."""


@dataclass(frozen=True)
class Event:
    """An event to report: ``kind`` is ready, died, restarted, stopping, stopped or killed."""

    kind: str
    program: str = ""
    text: str = ""
    seconds: float = 0.0


class Supervisor:
    """Starts, watches and stops the children of one table."""

    def __init__(self, programs: Iterable[Program], logs: Logs, report: Callable[[Event], None]) -> None:
        self.children = [Child(program, logs) for program in programs]
        self.periodic_checks: list[Callable[[], None]] = [logs.trim]
        self.on_started: Callable[[], None] = lambda: None
        self._logs = logs
        self._report = report
        self._signals = 0
        self._checks_at = time.monotonic() + CHECKS_SECONDS

    def run(self) -> None:
        """Start everything, keep it running until SIGINT or SIGTERM, then stop everything.

        Raises CannotStartError (after stopping what was started) when a program does not become ready.
        """
        former = {number: signal.signal(number, self._on_signal) for number in _stopping_signals()}
        try:
            self._start()
            while not self._signals:
                self._look()
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop()
            for number, handler in former.items():
                signal.signal(number, handler)

    def restart(self, name: str, why: str) -> None:
        """Stop one program, by force if need be, and start it again; for one that lives but does nothing."""
        child = self._child(name)
        self._report(Event("restarted", name, why))
        self._end([child], time.monotonic() + RESTART_GRACE)
        self._again(child)

    def steady(self, name: str, seconds: float) -> bool:
        """Whether a program has run for so long without a break; True when the table has no such program."""
        return all(child.alive and child.age > seconds for child in self.children if child.program.name == name)

    def _child(self, name: str) -> Child:
        return next(child for child in self.children if child.program.name == name)

    def _on_signal(self, *_received: Any) -> None:
        self._signals += 1

    def _start(self) -> None:
        for wave in WAVES:
            if Stage.SHOW in wave:
                self.on_started()
            group = [child for child in self.children if child.program.stage in wave]
            for child in group:
                if self._signals:
                    return
                self._launch(child)
            while Stage.SHOW not in wave and not self._signals and not self._all_ready(group):
                self._look()
                time.sleep(LOOK_SECONDS)
            if self._signals:
                return

    def _launch(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            raise CannotStartError(sentence=f"{child.program.name} cannot be run: {error.strerror}") from error

    def _all_ready(self, group: Sequence[Child]) -> bool:
        for child in group:
            if not child.ready and child.deaths == 0 and child.age > child.program.ready_within:
                raise self._failed(child, f"was not ready within {child.program.ready_within:.0f} s")
        return all(child.ready for child in group)

    def _failed(self, child: Child, how: str) -> CannotStartError:
        name = child.program.name
        last = self._logs.last_line(name)
        said = f"; its last words: {last}" if last else ""
        return CannotStartError(f"{name} {how}{said} (all of them: {self._logs.path(name)})")

    def _look(self) -> None:
        for child in self.children:
            self._look_at(child)
        if time.monotonic() >= self._checks_at:
            for check in self.periodic_checks:
                check()
            self._checks_at = time.monotonic() + CHECKS_SECONDS

    def _look_at(self, child: Child) -> None:
        if child.process is None:
            return
        if child.restart_at is not None:
            if time.monotonic() >= child.restart_at:
                self._again(child)
        elif not child.alive:
            self._ended(child)
        elif not child.ready and not child.program.once and child.check_ready():
            self._report(Event("ready", child.program.name, child.program.shown, child.age))

    def _again(self, child: Child) -> None:
        """Start it again; what forbids it now may be over later, so a failure is a death like any other."""
        try:
            child.start()
        except (PigiError, OSError) as error:
            self._report(Event("died", child.program.name, f"could not be started: {error}", child.plan_restart()))

    def _ended(self, child: Child) -> None:
        child.sweep()
        program, code = child.program, child.process.returncode if child.process else 0
        if program.once:
            if code and not program.on_console:
                raise self._failed(child, child.how_it_ended())
            child.process, child.ready = None, True
            if not program.on_console:
                self._report(Event("ready", program.name, program.shown, child.age))
            return
        pause = child.plan_restart()
        if not child.once_ready and child.deaths >= EARLY_DEATHS:
            raise self._failed(child, child.how_it_ended())
        self._report(Event("died", program.name, child.how_it_ended(), pause))

    def _stop(self) -> None:
        running = [child for child in self.children if child.alive]
        if not running:
            return
        self._report(Event("stopping"))
        latest = time.monotonic() + STOP_SECONDS
        for stage in reversed(Stage):
            group = [child for child in running if child.program.stage == stage]
            grace = max((child.program.grace for child in group), default=0.0)
            self._end(group, min(latest, time.monotonic() + grace))
        self._report(Event("stopped"))

    def _end(self, group: Sequence[Child], deadline: float) -> None:
        """Ask, wait, then kill; a second signal makes the wait short."""
        seen = self._signals
        for child in group:
            child.ask_to_stop()
        while any(child.alive for child in group) and time.monotonic() < deadline and self._signals <= max(seen, 1):
            time.sleep(LOOK_SECONDS / 2)
        for child in group:
            if child.alive:
                self._report(Event("killed", child.program.name, "did not stop in time"))
            child.sweep()
            child.restart_at = None


def _stopping_signals() -> tuple[signal.Signals, ...]:
    """SIGHUP stops too, for a closed terminal, unless somebody (nohup) had it ignored."""
    hangup = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGINT, signal.SIGTERM, *hangup)
