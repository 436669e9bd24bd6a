"""The file's JSON, read event by event: strict, bounded in every direction, and with flat memory.

What it holds is described by `pigi.domain.configuration_format`. Nothing here judges what a project or a
resource says; that is `pigi.operations.imports.entries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isinf
from typing import IO, TYPE_CHECKING, Any, Final

import ijson
from ijson.common import JSONError

from pigi.domain.configuration_format import FORMAT, VERSION
from pigi.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK: Final = 64 * 1024
"""Bytes read at a time."""
MOST_SILENT: Final = 2_500_000
"""Bytes without a value's end: a longer text is nothing that Pigi keeps, and would have to be held whole.

200,000 characters of prose take up to 2,400,000 bytes where JSON is written in ASCII.
"""
MOST_DEPTH: Final = 32
"""Objects and arrays within each other; a content has up to 19, extensions included."""
MOST_NAMES: Final = 64
"""Names in an object of the document itself."""
MOST_PROJECTS: Final = 10_000
"""Archived ones among them; an organisation has at most 200 in use."""
MOST_RESOURCES: Final = 1_000_000
MOST_WEIGHT: Final = 64 * 1024 * 1024
"""What a resource may weigh with all its revisions, since it is imported whole: characters, and `NODE` a value."""
NODE: Final = 32

TOO_HEAVY: Final = object()
"""Stands for a value that weighs too much to be held."""


class BrokenFileError(Permanent):
    """The file is no configuration export; nothing of it can be imported."""


@dataclass(frozen=True)
class Entry:
    """A project or a resource of the file, as it stands there; ``value`` may be any JSON, or `TOO_HEAVY`.

    ``project`` is the place of the project in the file, ``resource`` the place in it, None for the project itself.
    """

    project: int
    resource: int | None
    value: Any

    @property
    def pointer(self) -> str:
        """Where it is, as a JSON pointer (RFC 6901)."""
        own = f"/projects/{self.project}"
        return own if self.resource is None else f"{own}/resources/{self.resource}"


@dataclass(frozen=True)
class Ignored:
    """Something in the file that Pigi does not import."""

    pointer: str


def read_document(file: IO[bytes]) -> Iterator[Entry | Ignored]:
    """The entries of a file, in its order: each project, followed by its resources.

    Raises BrokenFileError with the code of what is wrong, which may come after any number of entries.
    """
    events = _events(file)
    _expect(events, "start_map")
    known: dict[str, Any] = {}
    for name in _names(events):
        if name in {"format", "version"}:
            known[name] = _value(events, next(events))
        elif name == "projects":
            _check_head(known)
            yield from _projects(events)
            known[name] = True
        elif name in {"exported_at", "organisation"}:
            _value(events, next(events))
        elif _value(events, next(events)):
            yield Ignored(f"/{name[:80]}")
    _check_head(known)
    if "projects" not in known:
        raise BrokenFileError("import_unknown_format")
    for _ in events:  # the parser itself refuses whatever follows
        raise BrokenFileError("import_malformed")


def _check_head(known: dict[str, Any]) -> None:
    """Format and version come first, or nothing that follows could be read in its light."""
    if known.get("format") != FORMAT:
        raise BrokenFileError("import_unknown_format")
    version = known.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise BrokenFileError("import_unknown_version")


def _projects(events: Iterator[tuple[str, Any]]) -> Iterator[Entry | Ignored]:
    _expect(events, "start_array")
    resources = 0
    for number, first in enumerate(_elements(events)):
        if number >= MOST_PROJECTS:
            raise BrokenFileError("import_too_many")
        if first[0] != "start_map":
            yield Entry(number, None, _value(events, first))
            continue
        for entry in _project(events, number):
            resources += isinstance(entry, Entry) and entry.resource is not None
            if resources > MOST_RESOURCES:
                raise BrokenFileError("import_too_many")
            yield entry


def _project(events: Iterator[tuple[str, Any]], number: int) -> Iterator[Entry | Ignored]:
    words: dict[str, Any] = {}
    begun = False
    for name in _names(events):
        if name != "resources":
            if begun and name in {"name", "description", "state"}:
                # A project must be known before what is in it, or all of it would have to be held.
                raise BrokenFileError("import_wrong_order")
            words[name] = _value(events, next(events))
            continue
        yield Entry(number, None, words)
        begun = True
        first = next(events)
        if first[0] != "start_array":
            raise BrokenFileError("import_unknown_format")
        for place, element in enumerate(_elements(events)):
            yield Entry(number, place, _value(events, element, MOST_WEIGHT))
    if not begun:
        yield Entry(number, None, words)


def _events(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """The parser's events; it knows RFC 8259 and UTF-8, and refuses numbers that fit nothing."""
    found: Any = ijson.sendable_list()
    # As floats, its integers would have to fit 64 bits.
    parser = ijson.basic_parse_coro(found, use_float=False)
    silent = depth = 0
    try:
        while chunk := file.read(CHUNK):
            parser.send(chunk)
            silent = 0 if found else silent + len(chunk)
            if silent > MOST_SILENT:
                raise BrokenFileError("import_value_too_long")
            for event in found:
                depth += event[0] in _OPENING
                depth -= event[0] in _CLOSING
                if depth > MOST_DEPTH:
                    raise BrokenFileError("import_too_deep")
                yield (event[0], _float(event[1])) if isinstance(event[1], Decimal) else event
            found.clear()
        parser.close()
    except (JSONError, ValueError, ArithmeticError, SystemError):
        # What the parser says quotes the file; of an integer with thousands of digits it is a SystemError,
        # of an exponent with as many an ArithmeticError.
        raise BrokenFileError("import_malformed") from None


def _float(number: Decimal) -> float:
    """Raises OverflowError for what fits no double."""
    found = float(number)
    if isinf(found):
        raise OverflowError
    return found


_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})


def _expect(events: Iterator[tuple[str, Any]], kind: str) -> None:
    if next(events, ("", None))[0] != kind:
        raise BrokenFileError("import_unknown_format")


def _names(events: Iterator[tuple[str, Any]]) -> Iterator[str]:
    """The names of an object that has begun, to its end; whoever asks takes each name's value before the next."""
    seen: set[str] = set()
    for kind, name in events:
        if kind == "end_map":
            return
        if name in seen:
            raise BrokenFileError("import_name_twice")
        seen.add(name)
        if len(seen) > MOST_NAMES:
            raise BrokenFileError("import_unknown_format")
        yield name


def _elements(events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The first event of each element of an array that has begun, to its end."""
    for event in events:
        if event[0] == "end_array":
            return
        yield event


def _value(events: Iterator[tuple[str, Any]], first: tuple[str, Any], most: int = CHUNK) -> Any:
    """The value that begins with ``first``; `TOO_HEAVY` if it weighs more than ``most``."""
    if first[0] not in _OPENING:
        return first[1]
    tree = _Tree(first[0])
    weight = NODE
    for kind, value in events:
        weight += NODE + (len(value) if isinstance(value, str) else 0)
        tree.take(kind, value)
        if not tree.depth:
            return tree.root
        if weight > most:
            break
    _skip(events, tree.depth)
    return TOO_HEAVY


class _Tree:
    """An object or array that grows with the parser's events; ``depth`` says how many are open, 0 at its end."""

    def __init__(self, first: str) -> None:
        self.root: Any = {} if first == "start_map" else []
        self._open = [self.root]
        self._names: list[str] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    def take(self, kind: str, value: Any) -> None:
        """Go on by one event. Raises BrokenFileError for a name that is there twice."""
        if kind == "map_key":
            if value in self._open[-1]:
                raise BrokenFileError("import_name_twice")
            self._names.append(value)
            self._open[-1][value] = None
        elif kind in _CLOSING:
            self._open.pop()
        elif kind in _OPENING:
            made: Any = {} if kind == "start_map" else []
            self._put(made)
            self._open.append(made)
        else:
            self._put(value)

    def _put(self, made: Any) -> None:
        within = self._open[-1]
        if isinstance(within, list):
            within.append(made)
        else:
            within[self._names.pop()] = made


def _skip(events: Iterator[tuple[str, Any]], depth: int) -> None:
    """Read on to the end of a value that is ``depth`` deep."""
    while depth > 0:
        kind, _ = next(events)
        depth += (kind in _OPENING) - (kind in _CLOSING)
