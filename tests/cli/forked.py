"""The command line in a process that is a copy of one in which it was loaded already.

Most of what a command takes is Python's start and imports: a second, where the command itself takes a twentieth.
A copy has its own environment, arguments, streams and exit code, like any process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pigi.cli.main import COMMANDS, cli, main
from tests.support.copies import copies

SECONDS = 120
NAMES = ("stdin", "stdout", "stderr")
STREAMS = (("r", "strict"), ("w", "surrogateescape"), ("w", "backslashreplace"))
"""Modes and manners of the three streams, as Python opens them where no locale is chosen."""

for command in COMMANDS:
    cli.get_command(None, command)


def run(words: list[str], environment: dict[str, str], stdin: str) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` returns for ``pigi`` with these words."""
    with TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in NAMES]
        for file in files:
            Path(file).write_text(stdin if file == files[0] else "")
        process = copies().Process(target=_become, args=(words, environment, files))
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, SECONDS)
        told = [Path(file).read_text() for file in files[1:]]
    return subprocess.CompletedProcess(words, process.exitcode, *told)


def _become(words: list[str], environment: dict[str, str], files: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, (file, (mode, errors)) in enumerate(zip(files, STREAMS, strict=True)):
        os.dup2(os.open(file, os.O_RDONLY if mode == "r" else os.O_WRONLY), number)
        setattr(sys, NAMES[number], os.fdopen(number, mode, encoding="utf-8", errors=errors))
    sys.argv = ["pigi", *words]
    sys.exit(main())
