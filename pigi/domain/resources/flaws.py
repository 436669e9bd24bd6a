"""Saying where content breaks its schema, without ever repeating what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

UNION_TAGS: Final = frozenset({"stdio", "http", "plain", "secret"})
"""Pydantic puts a variant's tag into an error's path. No field has such a name, so these are left out."""
MOST: Final = 50
"""Flaws that are listed; whoever sends more has sent something else altogether."""

Flaw = dict[str, str]


def flaws_of(error: ValidationError, model: type[BaseModel]) -> list[Flaw]:
    """A JSON pointer (RFC 6901) and a message for each flaw, in the order of the fields."""
    # The context is needed for the tags that a union knows; it also holds the one that was sent, which is not.
    entries = error.errors(include_url=False, include_input=False, include_context=True)
    return [_flaw(entry, model) for entry in entries[:MOST]]


def _flaw(entry: ErrorDetails, model: type[BaseModel]) -> Flaw:
    unknown = entry["type"] == "extra_forbidden"
    # The name of an unknown field is the client's text, so its parent is pointed at.
    place = [part for part in entry["loc"][: -1 if unknown else None] if part not in UNION_TAGS]
    return {"pointer": _pointer(place), "message": _unknown(place, model) if unknown else _message(entry)}


def _unknown(place: list[Any], model: type[BaseModel]) -> str:
    if place:
        return "holds an unknown field; the API document lists the known ones"
    return f"holds an unknown field; known are: {', '.join(model.model_fields)}"


def _message(entry: ErrorDetails) -> str:
    context: dict[str, Any] = entry.get("ctx", {})
    if entry["type"] in {"model_type", "model_attributes_type"}:
        return "must be an object"
    if entry["type"] == "union_tag_not_found":
        return f"{context['discriminator']} is required"
    if entry["type"] == "union_tag_invalid":
        return f"{context['discriminator']} must be one of: {context['expected_tags']}"
    return entry["msg"].removeprefix("Value error, ")


def _pointer(place: list[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
