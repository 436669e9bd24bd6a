"""Where a Markdown text makes a tool read another file: ``@path`` in prose, as Claude Code and Gemini CLI have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyromark import Markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKDOWN: Final = Markdown()
_MENTION = re.compile(r"(?:^|(?<=[\s(\[*_:]))@((?:[^\s\\]|\\ ){1,500})")
_SCOPED: Final = re.compile(r"[a-z0-9][a-z0-9._~-]*/[a-z0-9][a-z0-9._~-]*(?:@[\w.^~*-]+)?")
_FILE = re.compile(
    r"[^\s@]*\.(?:md|mdc|mdx|markdown|txt|rst|adoc|json5?|jsonc|ya?ml|toml|ini|cfg|conf|env|lock|xml|html?|css|scss|csv|sql"
    r"|proto|graphql|py|pyi|ipynb|[cm]?[jt]sx?|go|rs|rb|php|java|kt|swift|c|h|cc|cpp|hpp|cs|sh|bash|zsh|ps1|tf|vue|svelte)",
    re.IGNORECASE,
)
_NAMED: Final = frozenset({
    "README", "AGENTS", "CLAUDE", "GEMINI", "CONTRIBUTING", "CHANGELOG", "LICENSE", "Makefile", "Dockerfile", "RULES",
})  # fmt: skip


def imported_lines(text: str) -> Iterator[int]:
    """The lines, counted from 1, that import a file; code, addresses, people and scopes of packages are none."""
    if not any(_is_path(found[1]) for found in _MENTION.finditer(text)):
        return
    for number, line in enumerate(_without_code(text).split("\n"), start=1):
        if any(_is_path(found[1]) for found in _MENTION.finditer(line)):
            yield number


def _without_code(text: str) -> str:
    """``text`` with spaces for its code, and as many lines."""
    data = text.encode()
    parts, end = [], 0
    for event, place in _MARKDOWN.events_with_range(text):
        code = isinstance(event, dict) and (
            "Code" in event or (isinstance(begun := event.get("Start"), dict) and "CodeBlock" in begun)
        )
        if code and place["start"] >= end:
            parts += [data[end : place["start"]], b" ", b"\n" * data.count(b"\n", place["start"], place["end"])]
            end = place["end"]
    return b"".join((*parts, data[end:])).decode()


def _is_path(mention: str) -> bool:
    mention = mention.rstrip(".,;:!?)]}'\"*_")
    if mention.startswith(("./", "../", "~/", "/")):
        return len(mention) > len("./")
    if _FILE.fullmatch(mention) or mention in _NAMED:
        return True
    return "/" in mention and _SCOPED.fullmatch(mention) is None and re.match(r"[\w.-]", mention) is not None
