"""JSON schemas of the resources, as Anthropic's structured output accepts them.

Structured output knows a subset of JSON Schema: objects are closed, and limits of length, range and count
and patterns are not enforced (`transform_schema` in the Anthropic SDK moves such keywords into
descriptions). So limits are said in words here, and checked by the models when the answer comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

_KEPT: Final = ("type", "const", "enum")
_IN_WORDS: Final = {
    "maxLength": "At most {} characters.",
    "maxItems": "At most {} items.",
    "minimum": "At least {}.",
    "maximum": "At most {}.",
    "default": "Usually {}.",
}
Schema = dict[str, Any]


def closed_schema(model: type[BaseModel], title: str) -> Schema:
    """The schema of ``model`` with every object closed, every field required and no reference left."""
    raw = model.model_json_schema()
    definitions: Mapping[str, Schema] = raw.get("$defs", {})
    return {**_closed(raw, definitions), "title": title}


def _closed(raw: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" in raw:
        target = definitions[raw["$ref"].rpartition("/")[2]]
        raw = {**target, **{key: value for key, value in raw.items() if key != "$ref"}}
    variants = raw.get("anyOf", raw.get("oneOf"))
    if variants is not None:
        schema: Schema = {"anyOf": [_closed(variant, definitions) for variant in variants]}
    else:
        schema = {key: raw[key] for key in _KEPT if key in raw}
    if "const" in schema or "enum" in schema:
        schema.pop("type", None)
    if raw.get("type") == "object":
        properties = {name: _closed(value, definitions) for name, value in raw["properties"].items()}
        schema |= {"properties": properties, "additionalProperties": False, "required": list(properties)}
    if raw.get("type") == "array":
        schema["items"] = _closed(raw["items"], definitions)
    return schema | _description(raw)


def _description(raw: Schema) -> Schema:
    # A docstring is for readers of this program, so only descriptions of fields are sent: objects lose theirs.
    said = [] if raw.get("type") == "object" else [raw.get("description", "")]
    for keyword, sentence in _IN_WORDS.items():
        if keyword in raw and isinstance(raw[keyword], str | int):
            said.append(sentence.format(raw[keyword]))
    text = " ".join(part for part in said if part)
    return {"description": text} if text else {}
