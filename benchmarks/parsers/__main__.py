"""Read so many hostile inputs, the same for the same seed; exit with 1 if one breaks a reader or takes too long."""

from __future__ import annotations

import argparse
import math
import sys

from benchmarks.parsers import bodies, configuring, headers, queries, texts
from benchmarks.parsers.parser import LINEAR, slowest, told, tried

PARSERS = (*headers.PARSERS, *queries.PARSERS, *bodies.PARSERS, *texts.PARSERS, *configuring.PARSERS)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=1_000_000, help="over all parsers together")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="those whose name has this in it")
    options.add_argument("--no-growth", action="store_true", help="measure no times")
    chosen = options.parse_args()
    parsers = [parser for parser in PARSERS if chosen.only in parser.name]
    share = chosen.inputs / sum(1 / parser.dear for parser in parsers)
    failed = 0
    for parser in parsers:
        found = tried(parser, math.ceil(share), chosen.seed)
        growth = slowest(parser) if parser.pumps and not chosen.no_growth else None
        failed += len(found.failures) + (growth is not None and growth[0] > LINEAR)
        for line in told(parser, found, growth):
            print(line, flush=True)
    print(f"{failed} failures" if failed else "no failure")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
