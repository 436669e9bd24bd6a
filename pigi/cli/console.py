"""What `pigi up` says while it runs: one line an event, as text or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pigi.cli.output import dim, green, red, say

if TYPE_CHECKING:
    from pigi.processes.supervisor import Event

NAME_WIDTH = 13
SHOWN_WIDTH = 48


def tell(event: Event) -> None:
    """Say an event in words."""
    line = _line(event)
    if line:
        say(line)


def tell_json(event: Event) -> None:
    """Say an event as a line of JSON."""
    say(json.dumps({"event": event.kind, **{k: v for k, v in asdict(event).items() if k != "kind"}}))


def _line(event: Event) -> str:
    name = event.program.ljust(NAME_WIDTH)
    if event.kind == "ready":
        return f"  {green('●')} {name} {event.text.ljust(SHOWN_WIDTH)} {dim(f'{event.seconds:5.1f} s')}"
    if event.kind == "died":
        return f"  {red('○')} {name} {event.text}; starting it again in {event.seconds:.1f} s"
    if event.kind == "restarted":
        return f"  {red('○')} {name} {event.text}; starting it again"
    if event.kind == "killed":
        return f"  {red('○')} {name} {event.text}; killed"
    return {"stopping": "\n  Stopping.", "stopped": "  Stopped; nothing is left running."}.get(event.kind, "")
