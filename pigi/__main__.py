"""`python -m pigi`: the same as the command `pigi`."""

from __future__ import annotations

import sys

from pigi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
