"""One reader of strangers' texts, what must hold of it, and how it is tried."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from itertools import islice, pairwise
from random import Random
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.parsers.grammar import Grammar

TWICE_EVERY = 8
"""Of so many inputs one is read twice."""
LENGTHS = (16, 20, 24, 28, 32, 48, 96, 250, 500, 2000, 8000)
"""Small steps first: what takes exponential time is noticed before it takes for ever."""
LEAST_NS = 300_000
"""Below this a measurement is the clock's noise, so the reading is repeated until it takes so long."""
ROOM = 2.0
"""How many times longer than the square of its lengths a step may take, before a text is taken for worse than that."""
LINEAR = 9.0
"""How many times longer one four times as long may take: 4 in linear time, 16 in quadratic."""
TRIES = 3


@dataclass(frozen=True)
class Parser:
    """``read`` gives something that can be compared; ``declared`` are the exceptions that its contract names.

    ``holds`` is given the input and what was read, and raises AssertionError where that cannot be: a round trip, or
    another reader's answer. ``pumps`` is False where what is read has a bound that its caller keeps. A
    ``dear`` one is given so many times fewer inputs.
    """

    name: str
    grammar: Grammar
    read: Callable[[str], Any]
    declared: tuple[type[Exception], ...] = ()
    holds: Callable[[str, Any], None] = field(default=lambda _text, _found: None)
    pumps: bool = True
    dear: int = 1

    def outcome(self, text: str) -> str:
        """What came of the text, in a word or two: a declared exception's name and code, or what was read."""
        try:
            found = self.read(text)
        except self.declared as error:
            return f"{type(error).__name__} {getattr(error, 'code', '')}"
        self.holds(text, found)
        return repr(found)


@dataclass
class Findings:
    """What came of many inputs: how many there were, checksums of outcomes, each failure with its shortest input."""

    inputs: int = 0
    outcomes: set[int] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)

    def fail(self, error: BaseException, text: str) -> None:
        """Keep the input unless a shorter one failed likewise."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        name = f"{type(error).__name__} at {place.filename.rpartition('/')[2]}:{place.lineno}"
        if len(text) < len(self.failures.get(name, text + " ")):
            self.failures[name] = text


def tried(parser: Parser, inputs: int, seed: int) -> Findings:
    """Read so many texts."""
    random, found = Random(f"{seed} {parser.name}"), Findings()
    for number in range(-(-inputs // parser.dear)):
        text = parser.grammar.text(random)
        found.inputs += 1
        try:
            outcome = parser.outcome(text)
            found.outcomes.add(crc32(outcome.encode("utf-8", "surrogatepass")))
            if number % TWICE_EVERY == 0 and parser.outcome(text) != outcome:
                message = "read twice, the same text is two"
                raise AssertionError(message)
        except Exception as error:
            found.fail(error, text)
    return found


def slowest(parser: Parser, sorts: int | None = None) -> tuple[float, str]:
    """How many times longer the worst text takes that is four times as long, and which piece it repeats.

    Nothing is held against a clock: times of the same thread are compared with one another, and each comparison that
    looks bad is made again.
    """
    worst = (0.0, "")
    for texts in islice(zip(*(parser.grammar.pumped(length) for length in LENGTHS), strict=True), sorts):
        ratio = _growth(parser, texts)
        worst = max(worst, (ratio, texts[1][:24]))
    return worst


def _growth(parser: Parser, texts: tuple[str, ...]) -> float:
    before = _cost(parser, texts[0])
    for shorter, text in pairwise(texts[:-1]):
        now = _cost(parser, text)
        if now > LEAST_NS and now > ROOM * before * (len(text) / len(shorter)) ** 2:
            return now / before
        before = now
    found = float("inf")
    for _ in range(TRIES):
        found = min(found, _cost(parser, texts[-1]) / _cost(parser, texts[-2]))
        if found <= LINEAR:
            break
    return found


def _cost(parser: Parser, text: str) -> float:
    """Nanoseconds of this thread for one reading, the least of some."""
    return min(_timed(parser, text) for _ in range(2))


def _timed(parser: Parser, text: str) -> float:
    count, began = 0, time.thread_time_ns()
    while True:
        count += 1
        try:
            parser.read(text)
        except parser.declared:
            pass
        spent = time.thread_time_ns() - began
        if spent > LEAST_NS:
            return spent / count


def told(parser: Parser, found: Findings, growth: tuple[float, str] | None) -> Iterator[str]:
    """A line for the parser, and one for each failure."""
    slow = f"slowest x4 {growth[0]:5.1f} ({growth[1]!r})" if growth else ""
    yield f"{parser.name:24} {found.inputs:8,} inputs {len(found.outcomes):7,} outcomes {slow}"
    for name, text in found.failures.items():
        yield f"  FAILED {name}: {text[:200]!r}"
