"""The configuration export's format: one JSON document, described by a JSON Schema (draft 2020-12)."""

from __future__ import annotations

from typing import Any, Final

from pigi.domain.resources import RESOURCES

FORMAT: Final = "pigi-configuration"
VERSION: Final = 1
"""Rises when what was right before would be read otherwise; members may be added without."""

_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
_STATE: dict[str, Any] = {"enum": ["active", "archived"]}


def _object(what: str, /, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": what,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_REVISION = _object(
    "What a resource was from one change to the next.",
    number={"type": "integer", "minimum": 1, "description": "Its place in the history, from 1 without gaps."},
    content={"type": "object", "description": "The whole resource, in the form of its kind."},
    author={
        "type": "string",
        "pattern": "^(person|key|pigi)-[1-9][0-9]*$",
        "description": "Who wrote or accepted it: a pseudonym, the same for the same author within this document.",
    },
    origin={"enum": ["written", "generated", "generated_edited"]},
    message={"type": ["string", "null"]},
    created_at=_MOMENT,
)
_REVISION["properties"]["examples"] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Values in the content that look like secrets and that somebody called examples, by their hashes.",
}
_RESOURCE = _object(
    "A resource with all of its revisions, the newest last.",
    kind={"enum": list(RESOURCES)},
    name={"type": "string"},
    state=_STATE,
    revisions={"type": "array", "items": _REVISION, "minItems": 1},
)
_PROJECT = _object(
    "A project with its resources, archived ones included.",
    name={"type": "string"},
    description={"type": "string"},
    state=_STATE,
    created_at=_MOMENT,
    resources={"type": "array", "items": _RESOURCE},
)
SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Pigi configuration export",
    **_object(
        "All that an organisation configured in Pigi, as it was at `exported_at`.",
        format={"const": FORMAT},
        version={"const": VERSION},
        exported_at=_MOMENT,
        organisation=_object("The organisation.", name={"type": "string"}, created_at=_MOMENT),
        projects={"type": "array", "items": _PROJECT},
        releases={"type": "array", "items": {"type": "object"}},
    ),
}
