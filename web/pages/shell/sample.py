"""The draft that the landing page shows: as the product's own model read, checked and completed it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pigi.domain.resources.drafts import as_json, parse_draft
from web.http.replies import as_json as text_of

KIND, NAME = "agent", "api-reviewer"
PURPOSE = (
    "Reviews changes to our public API: nothing that clients rely on may break, and every new field is documented."
)
WRITTEN: dict[str, Any] = {
    "name": NAME,
    "description": "Use it for every change to the public API, before a person reviews it.",
    "instructions": """## Role

You review changes to a public HTTP API. You read; you change nothing.

## What to look for

- A field, path or status that clients may rely on and that changes or goes away.
- A new field without a line in the reference, or whose name differs from its neighbours.
- A default that differs from what the field did while it was absent.

## How to answer

One finding a line: where it is, what breaks for whom, and the smallest change that mends it.""",
    "tools": ["Read", "Grep", "Glob"],
    "model": "inherit",
    "mcp_servers": [],
}


@lru_cache(maxsize=1)
def sample() -> dict[str, Any]:
    """The draft's content, with every field that its kind has by now; raises Permanent if it is none any more."""
    return as_json(parse_draft(KIND, text_of(WRITTEN)))
