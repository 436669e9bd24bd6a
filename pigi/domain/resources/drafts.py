"""Drafts: the way from a model's answer to a checked resource.

`parse_draft` then `name_draft` then `lint_draft`: a draft without errors can be delivered.
"""

from __future__ import annotations

import copy
import hashlib
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.names import NAME_LENGTH, is_name, without_hidden
from pigi.domain.resources.kinds import RESOURCES, SLUG_LENGTH
from pigi.domain.resources.kinds.fields import DRAFTED, is_identifier
from pigi.domain.resources.lint import NO_CHOICES, Finding, finding, lint
from pigi.domain.resources.rules import RESERVED_SERVER_NAMES
from pigi.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from pigi.domain.resources.lint import Choices

# Above the longest draft that the schema admits in practice, and far below what would hurt to parse.
DRAFT_LENGTH: Final = 200_000
# What the repair turn says of an answer that `parse_draft` refused.
UNUSABLE: Final = finding("not-a-draft", "")


def parse_draft(kind: str, text: str) -> BaseModel:
    """The draft that ``text`` holds as JSON.

    Raises:
        Permanent: ``malformed``, if ``text`` is not JSON of this kind's schema, nests too deeply, or is
            longer than 200,000 characters. The error holds nothing of the text, not even through its context.
        KeyError: there is no such kind.
    """
    model = RESOURCES[kind].model
    draft = _validated(model, text) if len(text) <= DRAFT_LENGTH else None
    if draft is None:
        raise Permanent("malformed") from None
    return draft


def _validated(model: type[BaseModel], text: str) -> BaseModel | None:
    # Raising inside the handler would tie the text to the error through its context.
    try:
        return model.model_validate_json(text)
    except (ValueError, RecursionError):
        return None


def expected_name(kind: str, name: str) -> str:
    """The name that a resource of this kind carries when a person requested ``name``: that, if it can."""
    resource = RESOURCES[kind]
    if resource.is_name is None:
        return label(name, resource.title)
    return name.strip() if resource.is_name(name.strip()) else slug(name, kind)


def name_flaw(kind: str, name: str) -> Finding | None:
    """Why no resource of this kind may have ``name``, as far as the name alone says."""
    reserved = kind == "mcp-server" and name in RESERVED_SERVER_NAMES
    return finding("reserved-name", "/name") if reserved else None


def name_draft(kind: str, draft: BaseModel, name: str) -> BaseModel:
    """``draft`` under the requested name, whatever the model called it."""
    return draft.model_copy(update={RESOURCES[kind].name_field: expected_name(kind, name)})


def lint_draft(
    kind: str, draft: BaseModel, name: str, choices: Choices = NO_CHOICES, *, strict: bool = True
) -> tuple[Finding, ...]:
    """Every rule that ``draft`` breaks when ``name`` was requested; errors come first.

    ``strict`` judges what the model is asked to mend; without it, what keeps people from accepting the draft.
    """
    return lint(draft, RESOURCES[kind].name_field, expected_name(kind, name), (), choices, strict=strict)


def json_schema(kind: str) -> dict[str, Any]:
    """The kind's schema for Anthropic's structured output; each call gives a copy of its own."""
    return copy.deepcopy(_schema(kind))


@cache
def _schema(kind: str) -> dict[str, Any]:
    return closed_schema(RESOURCES[kind].model, kind)


def as_json(draft: BaseModel) -> dict[str, Any]:
    """``draft`` as plain JSON values, with every field present; `parse_draft` takes it back."""
    return draft.model_dump(mode="json")


def with_defaults(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """``content``, saved by the rules of its day, with every field that today's schema has a default for."""
    model = RESOURCES[kind].model
    try:
        return as_json(model.model_validate(content))
    except ValueError:
        # It breaks a rule that came later, and is shown all the same.
        fields = model.model_fields.items()
        missing = {name: field for name, field in fields if name not in content and not field.is_required()}
        return {**content, **{name: field.get_default(call_default_factory=True) for name, field in missing.items()}}


def slug(name: str, fallback: str) -> str:
    """``name`` as lower-case ASCII words joined by hyphens, at most 64 characters.

    Claude Code accepts lower-case letters and hyphens, and the other tools accept that and more. A name with
    no Latin letter or digit becomes ``fallback`` and eight characters of its hash, so that two stay apart.
    """
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", folded)
    short = "-".join(words)[:SLUG_LENGTH].strip("-")
    if short:
        # A device of Windows, such as `nul`, names no file there.
        return short if is_identifier(short) else f"{short}-{fallback}"
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"{fallback}-{digest[:8]}"


def label(name: str, fallback: str) -> str:
    """``name`` on one line with single spaces, at most 120 characters; ``fallback`` if nothing is left."""
    kept = "".join(c if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} else " " for c in name)
    short = " ".join(without_hidden(kept).split())[:NAME_LENGTH].strip()
    return short if is_name(short) else fallback


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
    """The schema of ``model`` with every object closed, every field required and no reference left.

    Fields marked `NOT_DRAFTED` are left out: a draft has them at their defaults.
    """
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
    if isinstance(raw.get(DRAFTED), list):
        schema = {"enum": raw[DRAFTED]}
    if "const" in schema or "enum" in schema:
        schema.pop("type", None)
    if raw.get("type") == "object":
        drafted = {name: value for name, value in raw["properties"].items() if value.get("x-drafted", True)}
        properties = {name: _closed(value, definitions) for name, value in drafted.items()}
        schema |= {"properties": properties, "additionalProperties": False, "required": list(properties)}
    if raw.get("type") == "array":
        schema["items"] = _closed(raw["items"], definitions)
    return schema | _description(raw)


def _description(raw: Schema) -> Schema:
    # A docstring is for readers of this program, so only descriptions of fields are sent: objects lose theirs.
    said = [] if raw.get("type") == "object" else [raw.get("description", "")]
    for keyword, sentence in _IN_WORDS.items():
        if keyword in raw and isinstance(raw[keyword], str | int) and raw[keyword] != "":
            said.append(sentence.format(raw[keyword]))
    text = " ".join(part for part in said if part)
    return {"description": text} if text else {}
