"""Find the Chromium that the browser tests drive, or install Debian's: ``make browser``, which `.ci/run` calls.

Standard library only, since it runs on a machine that has nothing yet.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.debian import provide

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = (
    "The browser tests need Chromium. Install it with `apt-get install chromium` as root (`make browser` does that), "
    "or put any `chromium` on PATH, or run `.venv/bin/playwright install chromium`."
)


def find() -> str | None:
    """The path of a Chromium on PATH; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> int:
    """Install Chromium if it is missing and this is root on a Debian; otherwise say how, and return 1."""
    return provide(("chromium",), find, HOW)


if __name__ == "__main__":
    sys.exit(main())
