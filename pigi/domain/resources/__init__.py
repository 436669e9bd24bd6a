"""The kinds of resource, and the way from a model's answer to a checked draft.

`parse_draft` then `name_draft` then `lint_draft`: a draft without errors can be delivered.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.resources.agent import Agent
from pigi.domain.resources.document import Document
from pigi.domain.resources.lint import Finding, finding, lint
from pigi.domain.resources.mcp_server import McpServer
from pigi.domain.resources.names import label, slug
from pigi.domain.resources.schema import closed_schema
from pigi.domain.resources.settings import Settings
from pigi.errors import Permanent

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "DRAFT_LENGTH",
    "RESOURCES",
    "UNUSABLE",
    "Finding",
    "ResourceKind",
    "as_json",
    "expected_name",
    "json_schema",
    "lint_draft",
    "name_draft",
    "parse_draft",
]

# Above the longest draft that the schema admits in practice, and far below what would hurt to parse.
DRAFT_LENGTH: Final = 200_000
# What the repair turn says of an answer that `parse_draft` refused.
UNUSABLE: Final = finding("not-a-draft", "")


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource.

    ``wire`` is its permanent name outside Pigi; ``name_field`` is the field that carries the name that was
    requested, and ``slugged`` says whether that name must be a slug.
    """

    wire: str
    title: str
    model: type[BaseModel]
    name_field: str
    slugged: bool


RESOURCES: Final[dict[str, ResourceKind]] = {
    kind.wire: kind
    for kind in (
        ResourceKind("agent", "Agent", Agent, "name", slugged=True),
        ResourceKind("mcp-server", "MCP server", McpServer, "name", slugged=True),
        ResourceKind("document", "Document", Document, "title", slugged=False),
        ResourceKind("settings", "Settings", Settings, "name", slugged=False),
    )
}


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
    """The name that a resource of this kind carries when a person requested ``name``."""
    resource = RESOURCES[kind]
    return slug(name, kind) if resource.slugged else label(name, resource.title)


def name_draft(kind: str, draft: BaseModel, name: str) -> BaseModel:
    """``draft`` under the requested name, whatever the model called it."""
    return draft.model_copy(update={RESOURCES[kind].name_field: expected_name(kind, name)})


def lint_draft(kind: str, draft: BaseModel, name: str) -> tuple[Finding, ...]:
    """Every rule that ``draft`` breaks when ``name`` was requested; errors come first."""
    return lint(draft, RESOURCES[kind].name_field, expected_name(kind, name))


def json_schema(kind: str) -> dict[str, Any]:
    """The kind's schema for Anthropic's structured output; each call gives a copy of its own."""
    return copy.deepcopy(_schema(kind))


@cache
def _schema(kind: str) -> dict[str, Any]:
    return closed_schema(RESOURCES[kind].model, kind)


def as_json(draft: BaseModel) -> dict[str, Any]:
    """``draft`` as plain JSON values, with every field present; `parse_draft` takes it back."""
    return draft.model_dump(mode="json")
