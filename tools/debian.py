"""Install what tests need of Debian's packages, where that can be done; otherwise say how. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The cleanest of containers has no package lists yet, so these come first if a package is not known.
UPDATE = ("apt-get", "update", "-q")
INSTALL = ("apt-get", "install", "-q", "-y")


def provide(packages: tuple[str, ...], there: Callable[[], object], how: str) -> int:
    """Install ``packages`` unless what they bring is ``there``, if this is root on a Debian.

    Returns 0 if it is there afterwards; otherwise says ``how`` to come by it, and returns 1.
    """
    if there():
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.stderr.write(f"{how}\n")
        return 1
    names, install = " and ".join(packages), (*INSTALL, *packages)
    sys.stderr.write(f"Installing Debian's {names}, once: about half a minute.\n")
    if not (_run(install) or (_run(UPDATE) and _run(install))) or not there():
        sys.stderr.write(f"apt-get could not install {names}; its own message is above. {how}\n")
        return 1
    return 0


def _run(command: tuple[str, ...]) -> bool:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode == 0
