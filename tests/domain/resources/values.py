"""The table of values that are, or only look like, secrets; `secret_values.toml` says how it is written."""

from __future__ import annotations

import random
import re
import string
import tomllib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALPHABETS: Final = {
    "A": string.ascii_letters + string.digits,
    "L": string.ascii_letters,
    "l": string.ascii_lowercase,
    "a": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "B": string.ascii_uppercase + "234567",
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "u": string.ascii_letters + string.digits + "-_",
}
_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_HOLE: Final = re.compile("«(?:(uuid)|crc:([a-z_]+)|([A-Za-z])([0-9]+))»")


class Row(NamedTuple):
    """A value in its place: one text, or the arguments of a program. ``real`` says whether it looks like a secret."""

    part: str
    real: bool
    place: str
    written: str
    value: str | list[str]


def rows(*parts: str) -> Iterator[Row]:
    """The table, or these parts of it, filled with made-up characters. Only prose has lines."""
    table = tomllib.loads((Path(__file__).parent / "secret_values.toml").read_text(encoding="utf-8"))
    for part in parts or tuple(table):
        for real, places in table[part].items():
            for place, values in places.items():
                for written in values:
                    lined = written.replace("\\n", "\n") if place == "prose" else written
                    yield Row(part, real == "real", place, str(written), filled(lined))


def filled(written: Any) -> Any:
    """``written`` with its holes filled: always the same for the same row."""
    if isinstance(written, list):
        return [filled(one) for one in written]
    chance = random.Random(written)
    return _HOLE.sub(lambda hole: _made(chance, hole), written)


def _made(chance: random.Random, hole: re.Match[str]) -> str:
    if hole[1]:
        return "-".join("".join(chance.choices(_ALPHABETS["h"], k=size)) for size in (8, 4, 4, 4, 12))
    if hole[2]:
        return with_checksum(hole[2], "".join(chance.choices(_ALPHABETS["A"], k=30)))
    made = "".join(chance.choices(_ALPHABETS[hole[3]], k=int(hole[4])))
    # A key starts and ends with a letter or a digit more often than not, and a test should not turn on that.
    return re.sub(r"^[^A-Za-z0-9]|[^A-Za-z0-9]$", "7", made)


def with_checksum(prefix: str, body: str) -> str:
    """A token as GitHub and npm make them: six characters at its end are the CRC32 of the rest, in base 62."""
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return prefix + body + digits.rjust(6, "0")
