"""What `pigi demo` prints: the request, the response, the text as it is written, the finished job, the draft."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from pigi.cli.output import WIDTH, bold, dim, green, red, say, table

if TYPE_CHECKING:
    from collections.abc import Callable

INDENT = "  "
INNER = "    "
EXAMPLE = {"resource": "agent", "name": "release-notes", "purpose": "Write release notes from merged changes."}


def show(event: str, facts: dict[str, Any]) -> None:
    """Print one step; an event that this version does not know is passed over."""
    printer = PRINTERS.get(event)
    if printer is not None:
        printer(facts)


def _asked(facts: dict[str, Any]) -> None:
    say()
    say(f"{INDENT}{bold('The main job:')} a team asks for an agent definition.")
    say()
    say(f"{INDENT}{facts['method']} {facts['path']}")
    body = facts["body"]
    say(_indented(table([("resource", body["resource"]), ("name", body["name"])])))
    say(_wrapped(body["purpose"], "purpose   "))


def _accepted(facts: dict[str, Any]) -> None:
    took = dim(f"in {facts['seconds'] * 1000:.0f} ms")
    say()
    say(f"{INDENT}{green(str(facts['status']))} Accepted {took}")
    say(_indented(table([("Job", facts["job"]["id"]), ("Location", facts["location"])])))
    say()
    say(f"{INDENT}{bold('Its events as they come:')}")
    say()


def _move(facts: dict[str, Any]) -> None:
    TEXT.close()
    colour: Callable[[str], str] = {"succeeded": green, "failed": red, "cancelled": red}.get(facts["state"], str)
    attempt = f"attempt {facts['attempt']}" if facts["attempt"] else ""
    reason = facts.get("reason") or ""
    words = " ".join(word for word in (colour(facts["state"]), dim(attempt) if attempt else "", reason) if word)
    say(f"{INDENT}{_clock(facts)}  {words}")


def _progress(facts: dict[str, Any]) -> None:
    TEXT.close()
    if facts.get("note"):
        say(f"{INDENT}{_clock(facts)}  {dim(str(facts['note']))}")


def _text(facts: dict[str, Any]) -> None:
    TEXT.write(facts["text"], facts["turn"])


def _end(facts: dict[str, Any]) -> None:
    TEXT.close()
    say()
    say(f"{INDENT}{bold('The finished job')}")
    states = " → ".join(move["state"] for move in facts["timeline"])
    say(_indented(table([("states", states), ("attempts", str(facts["attempt"]))])))
    for effect in facts["effects"]:
        say(_indented(f"effect    {effect['key'].ljust(8)} {effect['state']}, {effect['policy']}"))
    if facts.get("explanation"):
        say()
        say(_indented(red(f"{facts['explanation']['title']} {facts['explanation']['advice']}")))


def _draft(facts: dict[str, Any]) -> None:
    draft = facts["draft"] or {}
    say()
    say(f"{INDENT}{bold('The draft')} {dim('kept for 24 hours')}")
    say()
    for name, value in draft.items():
        if name != "instructions" and value not in ([], None):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            say(_wrapped(shown, name.ljust(13)))
    say()
    for line in str(draft.get("instructions", "")).splitlines():
        say(_wrapped(line) if line.strip() else "")


def _serving(facts: dict[str, Any]) -> None:
    say()
    say(f"{INDENT}{bold('Serving on ' + facts['address'])} {dim('until Ctrl-C')}")
    say(f"{INDENT}Demo key   {facts['key']}")
    say()
    say(f"{INDENT}Try it yourself:")
    say()
    # One line each, so that it can be copied; a key is longer than the page is wide anyway.
    say(f"curl -i {facts['address']}{facts['path']} \\")
    say(f"  -H 'Authorization: Bearer {facts['key']}' \\")
    say(f"  -H 'Content-Type: application/json' \\\n  -d '{json.dumps(EXAMPLE)}'")
    say()


class LiveText:
    """Text that comes in pieces, set in lines of the page's width."""

    def __init__(self) -> None:
        self._line = ""
        self._turn = 0
        self._open = False

    def write(self, text: str, turn: int) -> None:
        """Take a piece and say every line that is full; a new turn starts the text over."""
        if turn != self._turn:
            self.close()
            self._turn = turn
        self._open = True
        # The text is JSON; its line breaks read better as such.
        self._line = (self._line + text).replace("\\n", "\n")
        while "\n" in self._line or len(self._line) > WIDTH - len(INNER):
            cut = self._cut()
            say(dim((INNER + self._line[:cut]).rstrip()))
            self._line = self._line[cut:]

    def close(self) -> None:
        """Say what is left of the last line."""
        if self._open and self._line:
            say(dim(INNER + self._line))
        self._line, self._open = "", False

    def _cut(self) -> int:
        width = WIDTH - len(INNER)
        newline = self._line.find("\n")
        if 0 <= newline <= width:
            return newline + 1
        space = self._line.rfind(" ", 0, width)
        return space + 1 if space > 0 else width


TEXT = LiveText()

PRINTERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "asked": _asked,
    "accepted": _accepted,
    "move": _move,
    "progress": _progress,
    "text": _text,
    "end": _end,
    "draft": _draft,
    "serving": _serving,
}


def _clock(facts: dict[str, Any]) -> str:
    return dim(f"{facts['seconds']:6.2f} s")


def _wrapped(text: str, label: str = "") -> str:
    indent = INNER + " " * len(label)
    return textwrap.fill(text, WIDTH, initial_indent=INNER + label, subsequent_indent=indent, break_long_words=False)


def _indented(text: str) -> str:
    return textwrap.indent(text, INNER)
