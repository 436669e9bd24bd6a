"""Environment variables and headers."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pigi.domain.resources.kinds import PlainHeader, PlainVariable, SecretHeader, SecretVariable
from pigi.domain.resources.risks.references import check_references
from pigi.domain.resources.risks.variables import variable_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Broken = Iterator[tuple[str, str]]
    Entry = PlainVariable | SecretVariable | PlainHeader | SecretHeader

_PORTABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def check_entries(entries: Sequence[Entry], pointer: str) -> Broken:
    """Each entry by its name and value. Header names ignore case (RFC 9110, section 5.1), variables do not."""
    counts = Counter(_identity(entry) for entry in entries)
    for position, entry in enumerate(entries):
        here = f"{pointer}/{position}"
        if counts[_identity(entry)] > 1:
            yield "listed-twice", f"{here}/name"
        if isinstance(entry, PlainVariable | SecretVariable):
            yield from _check_name(entry, f"{here}/name")
        if isinstance(entry, PlainVariable | PlainHeader):
            yield from ((rule, f"{here}/value") for rule in check_references(entry.value))
            if entry.value != entry.value.strip():
                yield "outer-space", f"{here}/value"


def _identity(entry: Entry) -> str:
    return entry.name.lower() if isinstance(entry, PlainHeader | SecretHeader) else entry.name


def _check_name(entry: PlainVariable | SecretVariable, pointer: str) -> Broken:
    rule = variable_rule(entry.name, entry.value if isinstance(entry, PlainVariable) else None)
    if rule is not None:
        yield rule, pointer
    if not _PORTABLE.fullmatch(entry.name):
        yield "odd-variable-name", pointer
