"""Find the Chromium that the browser tests drive, or install Debian's: ``make browser``, which `.ci/run` calls.

Standard library only, since it runs on a machine that has nothing yet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = (
    "The browser tests need Chromium. Install it with `apt-get install chromium` as root (`make browser` does that), "
    "or put any `chromium` on PATH, or run `.venv/bin/playwright install chromium`."
)
# The cleanest of containers has no package lists yet, so these come first if the package is not known.
UPDATE = ("apt-get", "update", "-q")
INSTALL = ("apt-get", "install", "-q", "-y", "chromium")


def find() -> str | None:
    """The path of a Chromium on PATH; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """Install Chromium if it is missing and this is root on a Debian; otherwise say how, and return 1."""
    if find():
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.stderr.write(f"{HOW}\n")
        return 1
    sys.stderr.write("Installing Debian's chromium, once: about half a minute.\n")
    if not (_run(INSTALL) or (_run(UPDATE) and _run(INSTALL))) or not find():
        sys.stderr.write(f"apt-get could not install chromium; its own message is above. {HOW}\n")
        return 1
    return 0


def _run(command: tuple[str, ...]) -> bool:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
