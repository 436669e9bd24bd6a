"""Markdown as pages show it: rendered by structure alone, so that nothing written in it reaches a page as HTML."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

from markupsafe import Markup, escape
from pyromark import Markdown, Options

MOST_EVENTS: Final = 100_000
"""Pieces of a text that are rendered: several times what 200,000 characters of prose have. A text made to be
expensive has more, and is shown as its source."""
DEEPEST: Final = 40
"""Levels of quotes and lists within one another that are rendered; browsers give up at some hundreds."""
TOP: Final = 2
"""The heading that the highest of a text becomes: pages have an h1 of their own."""

_PARSER = Markdown(options=Options.ENABLE_TABLES | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_TASKLISTS)
_LINKED = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+\Z", re.IGNORECASE)
_TAGS: Final = {
    "Paragraph": ("<p>", "</p>"),
    "Emphasis": ("<em>", "</em>"),
    "Strong": ("<strong>", "</strong>"),
    "Strikethrough": ("<del>", "</del>"),
    "BlockQuote": ("<blockquote>", "</blockquote>"),
    "Item": ("<li>", "</li>"),
    "CodeBlock": ('<pre tabindex="0"><code>', "</code></pre>"),
    "HtmlBlock": ('<p class="as-written">', "</p>"),
    "Table": ('<div class="scroll" tabindex="0"><table>', "</tbody></table></div>"),
    "TableHead": ("<thead><tr>", "</tr></thead><tbody>"),
    "TableRow": ("<tr>", "</tr>"),
}
_ALONE: Final = {"SoftBreak": "\n", "HardBreak": "<br>", "Rule": "<hr>"}


def rendered(text: str) -> Markup | None:
    """A CommonMark text (with tables, strikethrough and task lists) as HTML; None if it is shown as its source.

    HTML in it is shown as it was written. Links lead to http, https and mailto alone; a picture is not fetched, but
    named by its alternative text, with a link to it.
    """
    events: list[Any] = list(islice(_PARSER.events(text), MOST_EVENTS + 1))
    if len(events) > MOST_EVENTS:
        return None
    page = _Page(events)
    pieces = [page.piece(event) for event in events]
    # Tags of our own and escaped text alone.
    return None if page.too_deep else Markup("".join(pieces))  # noqa: S704


class _Page:
    """One text on its way to HTML."""

    def __init__(self, events: list[Any]) -> None:
        self.too_deep = False
        self._open: list[tuple[str, str]] = []
        self._heading = TOP - 1
        self._highest = min(filter(None, map(_level, events)), default=1)

    def piece(self, event: Any) -> str:
        """The HTML of the next event."""
        if isinstance(event, str):
            return _ALONE.get(event, "")
        ((name, value),) = event.items()
        if name == "Start":
            return self._begin(*((value, None) if isinstance(value, str) else next(iter(value.items()))))
        if name == "End":
            return self._open.pop()[1]
        if name == "Code":
            return f"<code>{escape(value)}</code>"
        if name == "TaskListMarker":
            return "☑ " if value else "☐ "
        return str(escape(value))

    def _begin(self, name: str, value: Any) -> str:
        self.too_deep |= len(self._open) > DEEPEST
        begin, end = self._tags(name, value)
        self._open.append((name, end))
        return begin

    def _tags(self, name: str, value: Any) -> tuple[str, str]:
        if name in {"Link", "Image"}:
            return self._link(value["dest_url"], "picture: " if name == "Image" else "")
        if name == "Heading":
            # One that skips a level would lose whoever goes from heading to heading.
            wanted = TOP + int(value["level"][1]) - self._highest
            level = self._heading = min(wanted, self._heading + 1, 6)
            return f"<h{level}>", f"</h{level}>"
        if name == "List":
            return ("<ul>", "</ul>") if value is None else (f'<ol start="{int(value)}">', "</ol>")
        if name == "TableCell":
            head = self._open[-1][0] == "TableHead"
            return ('<th scope="col">', "</th>") if head else ("<td>", "</td>")
        return _TAGS.get(name, ("<div>", "</div>"))

    def _link(self, address: str, before: str) -> tuple[str, str]:
        if any(end == "</a>" for _, end in self._open) or not _LINKED.match(address):
            return f"<span>{before}", "</span>"
        return f'<a href="{escape(address)}" rel="noopener nofollow">{before}', "</a>"


def _level(event: Any) -> int:
    """The level of the heading that begins here, or 0."""
    start = event.get("Start") if isinstance(event, dict) else None
    return int(start["Heading"]["level"][1]) if isinstance(start, dict) and "Heading" in start else 0
