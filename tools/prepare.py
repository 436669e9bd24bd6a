"""Make `.venv` what the lock file says, once for each lock: the set-up behind every target of the Makefile.

Standard library only, since it runs before anything is installed. Processes that prepare at the same time
wait for each other, and whoever finds the work done returns in milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / ".prepared"
INPUTS = ("requirements-uv.txt", "requirements-dev.txt", "pyproject.toml", "tools/prepare.py")


def main() -> int:
    """Prepare; 0 when `.venv` is ready. ``--rebuild`` starts from nothing if it is of another Python."""
    with Path(__file__).open() as itself:
        fcntl.flock(itself, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text() == _wanted() and not _outdated():
            return 0
        try:
            _prepare()
        except subprocess.CalledProcessError as error:
            _say(f"`{' '.join(error.cmd)}` failed; its own message is above. Nothing is broken: try again.")
            return 1
    return 0


def _prepare() -> None:
    _say("Preparing .venv from the lock file, once: half a minute or less.")
    if not _works() or _outdated():
        venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=True)
    quiet = ("-q", "--no-input", "--disable-pip-version-check", "--require-hashes", "-r")
    _run(*_pip(), *quiet, "requirements-uv.txt")
    _install_packages(quiet)
    # uv carries this build backend within itself, so an editable install fetches nothing.
    _run(*_uv(), "-q", "--offline", "--no-index", "--no-deps", "-e", ".")
    # The catalogue of secrets is compiled once on a machine, in some seconds, so that nobody waits for it later.
    _run(str(BIN / "python"), "-c", "from pigi.domain.resources.secrets import warm; warm()")
    STAMP.write_text(_wanted())


def _install_packages(quiet: tuple[str, ...]) -> None:
    """With uv in seconds; with pip in half a minute where uv finds no way to the index but pip's settings do."""
    locked = ("--require-hashes", "--compile-bytecode", "--system-certs", "-r", "requirements-dev.txt")
    try:
        _run(*_uv(), "-q", *locked)
    except subprocess.CalledProcessError:
        _say("uv could not install; trying pip, which is slower.")
        _run(*_pip(), *quiet, "requirements-dev.txt")


def _pip() -> tuple[str, ...]:
    return (str(BIN / "python"), "-m", "pip", "install")


def _uv() -> tuple[str, ...]:
    return (str(BIN / "uv"), "pip", "install", "--python", str(BIN / "python"))


def _run(*command: str) -> None:
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "UV_NO_PROGRESS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdin=subprocess.DEVNULL)


def _wanted() -> str:
    digest = hashlib.sha256(str(ROOT).encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _works() -> bool:
    """A virtual environment stops working when the Python that made it is removed."""
    probe = [str(BIN / "python"), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return (BIN / "python").exists() and subprocess.run(probe, check=False, capture_output=True).returncode == 0


def _outdated() -> bool:
    """Whether `.venv` was moved here, which breaks its scripts, or is of another Python than was asked for by name."""
    made = (VENV / "pyvenv.cfg").read_text()
    version = f"version = {sys.version_info.major}.{sys.version_info.minor}."
    return str(VENV) not in made or ("--rebuild" in sys.argv and version not in made)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
