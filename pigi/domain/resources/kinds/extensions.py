"""What a tool knows and Pigi does not: kept as it is, so that it survives every round trip."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

EXTENSIONS_LENGTH: Final = 64 * 1024
"""Characters of a resource's extensions as JSON without spaces."""
MOST_TOOLS: Final = 32
MOST_DEPTH: Final = 16
"""Objects and arrays within each other, a tool's own object among them."""
KEY_LENGTH: Final = 256

_TOOL: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
# PostgreSQL keeps no NUL, and UTF-8 has no surrogates; a status line may well hold other controls.
_UNKEPT = re.compile("[\u0000\ud800-\udfff]")


def _checked(extensions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for message in _flaws(extensions):
        raise ValueError(message)
    return extensions


def _flaws(extensions: dict[str, dict[str, Any]]) -> list[str]:
    if len(extensions) > MOST_TOOLS:
        return [f"must name at most {MOST_TOOLS} tools"]
    if not all(re.fullmatch(_TOOL[1:-1], tool) for tool in extensions):
        return ["must name each tool with 1 to 64 letters, digits, dots, underscores and hyphens, as in claude-code"]
    flaw = _flaw_within(extensions)
    if flaw:
        return [flaw]
    try:
        length = len(json.dumps(extensions, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    except ValueError:
        return ["must hold numbers that JSON and double precision have"]
    return [f"must have at most {EXTENSIONS_LENGTH} characters as JSON"] if length > EXTENSIONS_LENGTH else []


def _flaw_within(extensions: dict[str, dict[str, Any]]) -> str:
    waiting: list[tuple[Any, int]] = [(value, 1) for value in extensions.values()]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str) and _UNKEPT.search(value):
            return "must hold no NUL and no half of a surrogate pair"
        if not isinstance(value, dict | list):
            continue
        if depth > MOST_DEPTH:
            return f"must nest at most {MOST_DEPTH} deep"
        if isinstance(value, dict):
            if any(len(key) > KEY_LENGTH or _UNKEPT.search(key) for key in value):
                return f"must have names of at most {KEY_LENGTH} characters, without NUL"
            value = list(value.values())
        waiting.extend((inner, depth + 1) for inner in value)
    return ""


Extensions = Annotated[
    dict[str, dict[str, Any]],
    AfterValidator(_checked),
    Field(
        description=(
            "What a tool knows and Pigi does not, by the tool's name, such as claude-code: an object each, kept as it "
            f"is. Up to {EXTENSIONS_LENGTH} characters as JSON, at most {MOST_DEPTH} deep."
        ),
        json_schema_extra={
            "maxProperties": MOST_TOOLS,
            "propertyNames": {"pattern": _TOOL},
            # Structured output has no open objects, so no draft has any.
            "x-drafted": False,
        },
    ),
]
"""A field of every kind; order, big integers and 1.0 stay as they were sent."""
