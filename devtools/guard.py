"""Runs a program and ends it when whoever asked for it is gone, however that came about.

    python guard.py PARENT FOLDER PROGRAM [ARGUMENT …]

PARENT is the asker's process id. When it no longer is this process's parent, the program gets SIGQUIT, a
moment later SIGKILL, and FOLDER (unless empty) is removed. SIGTERM to the guard is SIGINT to the program,
and the guard ends as the program does. Knows the standard library alone, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from functools import partial

PERIOD_SECONDS = 0.2
GRACE_SECONDS = 5
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2), Linux only: the signal for the program should this guard be killed; whose child an orphan becomes."""


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def _bury_orphans() -> None:
    """The guard has ended only when the program's own children have, so nobody meets what is left of them."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def _end(program: subprocess.Popen[bytes]) -> None:
    program.send_signal(signal.SIGQUIT)
    try:
        program.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def main(parent: int, folder: str, command: list[str]) -> int:
    """Run ``command`` to its end, or to the end of ``parent``; returns its status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _control_process(PR_SET_CHILD_SUBREAPER, 1)
    die_too = partial(_control_process, PR_SET_PDEATHSIG, signal.SIGQUIT)
    program = subprocess.Popen(command, preexec_fn=die_too)  # noqa: PLW1509, S603 - one thread, own arguments
    signal.signal(signal.SIGTERM, lambda *_: program.send_signal(signal.SIGINT))
    while os.getppid() == parent:
        try:
            status = program.wait(PERIOD_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        _bury_orphans()
        return status
    _end(program)
    _bury_orphans()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
