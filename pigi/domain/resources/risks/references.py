"""References to variables inside values: each tool has a spelling of its own, and keeps those of others as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMELESS = re.compile(r"\$\{\s{0,20}(?:\}|:-)")
_OPENED = re.compile(r"\$\{(?:[^{}]|\$\{[^{}]*\}){0,500}(?P<end>\}?)")
_OF_ONE_TOOL = re.compile(
    r"\$\{(?:input|env|config|command|workspaceFolder|userHome|file\w*):?[^}]{0,200}\}|\{(?:env|file):[^}]{1,200}\}"
    r"|%[A-Za-z_]\w{0,100}%|\$env:\w{1,100}|(?<![\w$\\])\$[A-Za-z_]\w{0,100}"
)


def check_references(value: str) -> Iterator[str]:
    """The rules that references in ``value`` break: those that no tool can replace, and those that few do."""
    if "$" not in value and "{" not in value and "%" not in value:
        return
    if _NAMELESS.search(value) or any(not found["end"] for found in _OPENED.finditer(value)):
        yield "broken-reference"
    elif _OF_ONE_TOOL.search(value):
        yield "refers-to-a-variable"
