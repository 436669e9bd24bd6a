"""`worker.app` with places to stop at: ``celery -A tests.support.held_worker worker``. For drills only.

A generation called ``hold MOMENT`` stops there in its first attempt: its child writes its process id into
PIGI_HOME/holds/MOMENT and waits for that file to be removed. One called ``poison`` kills its child each time.
A child that deletes dies where there is a file PIGI_HOME/holds/kill MOMENT, which it removes first.

If there is a file PIGI_HOME/holds/exports, each of the first three attempts of an export stops after its first part.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from pigi.jobs.execution import attempt
from pigi.operations.deletion import machine, steps
from pigi.operations.exports import pages, parts
from pigi.operations.generations import drafting
from pigi.settings import get_settings
from worker.app import app

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["app"]

PARTED = 3
_at_hand = ("", 0)


def reach(moment: str) -> None:
    """Stop here if the job at hand shall."""
    name, number = _at_hand
    if name == "poison" and moment == "begun":
        os.kill(os.getpid(), signal.SIGKILL)
    if (name, number) == (f"hold {moment}", 1):
        _hold(moment)


def _hold(moment: str) -> None:
    mark = get_settings().home / "holds" / moment
    mark.parent.mkdir(exist_ok=True)
    mark.with_suffix(".new").write_text(str(os.getpid()))
    mark.with_suffix(".new").rename(mark)
    while mark.exists():
        time.sleep(0.02)


def _around(
    module: Any, name: str, *, before: str = "", after: Callable[[tuple[Any, ...], Any], None] | None = None
) -> None:
    inner = getattr(module, name)

    def outer(*arguments: Any, **options: Any) -> Any:
        if before:
            reach(before)
        answer = inner(*arguments, **options)
        if after is not None:
            after(arguments, answer)
        return answer

    setattr(module, name, outer)


def _note(arguments: tuple[Any, ...], held: Any) -> None:
    global _at_hand  # noqa: PLW0603 - one job at a time in a process
    _at_hand = (held.name, arguments[0].job.attempt)
    if held.turns == 0:
        reach("claimed")


def _drafted(arguments: tuple[Any, ...], _answer: Any) -> None:
    if "draft" in arguments[2]:
        reach("drafted")


def _parted(arguments: tuple[Any, ...], _answer: Any) -> None:
    global _at_hand  # noqa: PLW0603 - one job at a time in a process
    _at_hand = ("", arguments[1].job.attempt)


def _cut(_arguments: tuple[Any, ...], _answer: Any) -> None:
    number = _at_hand[1]
    if number <= PARTED and (get_settings().home / "holds" / "exports").exists():
        _hold(f"part-{number}")


parts.PART_BYTES, pages.MOST = 2_000, 8
_around(parts.PartWriter, "__init__", after=_parted)
_around(parts, "retry_while_unavailable", after=_cut)


def _die(moment: str) -> None:
    """Kill this child, once, if the drill left a mark that it shall die here."""
    mark = get_settings().home / "holds" / f"kill {moment}"
    if mark.exists():
        mark.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


# Before the commit of what a step or a move of a deletion has just written.
_around(steps, "_set", after=lambda arguments, _answer: _die(f"{arguments[2]} {arguments[3]}"))
_around(machine, "move", after=lambda arguments, _answer: _die(f"move {arguments[2]}"))
_around(drafting, "_read_row", after=_note)
_around(drafting, "LiveWriter", before="begun")
_around(drafting, "_store_answer", after=lambda _arguments, _answer: reach("stored"))
_around(drafting, "_update", after=_drafted)
_around(attempt, "_finish", before="finishing")
_around(attempt, "clean_up", after=lambda _arguments, _answer: reach("closed"))
