"""``make bench``: the benchmarks in turn, each printing ratios of one run; absolute figures drift with the machine.

``make bench ARGS="--beside ../before"`` runs those of another checkout in turn with these, each on its own code and in
its own environment, and prints what has changed: to be used before a change that may cost something is merged.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUICK = {
    "throughput": ("--jobs", "1000", "--rounds", "1"),
    "requests": ("--count", "40"),
    "neighbour": ("--noise", "1000"),
    "retention": ("--rows", "20000", "--organisations", "100", "--jobs", "10000"),
    "deletion": ("--rows", "20000"),
    "export": ("--revisions", "2000", "--rounds", "1"),
    "flood": ("--connections", "200", "--seconds", "5", "--around", "3"),
}
"""The benchmarks, each with options that make it short, to see that it runs."""
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def command(checkout: Path, name: str, options: argparse.Namespace) -> list[str]:
    """The benchmark as a program of a checkout, by its own interpreter if it has one."""
    own = checkout / ".venv/bin/python"
    python = str(own) if own.exists() else sys.executable
    return [python, "-m", f"benchmarks.{name}", "--engines", options.engines, *(QUICK[name] if options.quick else ())]


def figures(lines: list[str]) -> dict[str, list[float]]:
    """The numbers of each line, by its words; lines of both checkouts belong together if their words are the same."""
    return {NUMBER.sub("#", line): [float(one.replace(",", "")) for one in NUMBER.findall(line)] for line in lines}


def medians(runs: list[list[float]]) -> list[float]:
    """The median of each number of a line."""
    return [statistics.median(numbers) for numbers in zip(*runs, strict=True)]


def beside(other: Path, name: str, options: argparse.Namespace) -> None:
    """Run both in turn, the order changing each time, and print the medians with their ratios."""
    found: dict[Path, dict[str, list[list[float]]]] = {ROOT: defaultdict(list), other: defaultdict(list)}
    for number in range(options.rounds):
        for checkout in (ROOT, other) if number % 2 == 0 else (other, ROOT):
            done = subprocess.run(
                command(checkout, name, options), cwd=checkout, stdout=subprocess.PIPE, text=True, check=True
            )
            for words, numbers in figures(done.stdout.splitlines()).items():
                found[checkout][words].append(numbers)
    for words, here in found[ROOT].items():
        there = found[other].get(words)
        if there is None:
            print(f"only here: {words}", flush=True)
            continue
        pairs = zip(medians(here), medians(there), strict=True)
        changes = ", ".join(f"{ours:,.4g} / {was:,.4g} = {ours / was if was else 1:.2f}" for ours, was in pairs)
        print(f"{words}\n    here / beside: {changes}", flush=True)


def main() -> None:
    """Read the options and run what they name."""
    reader = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    reader.add_argument("names", nargs="*", choices=[*QUICK, []], metavar="NAME", help=f"of {', '.join(QUICK)}; all")
    reader.add_argument("--engines", default="sqlite,postgresql", help="databases, with commas between")
    reader.add_argument("--quick", action="store_true", help="see that they run; the figures say little")
    reader.add_argument("--beside", type=Path, metavar="PATH", help="another checkout, with its own .venv")
    reader.add_argument("--rounds", type=int, default=3, help="how often each of the two runs, with --beside")
    options = reader.parse_args()
    for name in options.names or QUICK:
        print(f"\n{name}", flush=True)
        if options.beside is None:
            subprocess.run(command(ROOT, name, options), cwd=ROOT, check=True)
        else:
            beside(options.beside.resolve(), name, options)


if __name__ == "__main__":
    main()
