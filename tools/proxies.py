"""Find the proxies that Pigi is tested behind, or install Debian's: ``make proxies``, which `.ci/run` calls.

Standard library only, since it runs on a machine that has nothing yet.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.debian import provide

NAMES = ("nginx", "haproxy")
HOW = (
    "The tests of proxies need nginx and haproxy. Install them with `apt-get install nginx haproxy` as root"
    " (`make proxies` does that), or put them on PATH. Where Debian starts them as services, too, stop that by"
    " `systemctl disable --now nginx haproxy`."
)
# Where Debian puts servers; only root has it on PATH.
_SERVERS = "/usr/sbin"


def find(name: str) -> str | None:
    """The path of a proxy; None if it is not here."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), _SERVERS)))


def main() -> int:
    """Install both if one is missing and this is root on a Debian; otherwise say how, and return 1."""
    return provide(NAMES, lambda: all(map(find, NAMES)), HOW)


if __name__ == "__main__":
    sys.exit(main())
