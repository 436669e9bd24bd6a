"""The kinds of resource: the schema of each, and their states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pigi.domain.resources.kinds.agents import Agent
from pigi.domain.resources.kinds.documents import Document
from pigi.domain.resources.kinds.fields import (
    SLUG_LENGTH,
    PlainHeader,
    PlainVariable,
    SecretHeader,
    SecretVariable,
    is_identifier,
    is_slug,
)
from pigi.domain.resources.kinds.servers import HttpTransport, McpServer, StdioTransport
from pigi.domain.resources.kinds.settings import Permissions, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

__all__ = [
    "RESOURCES",
    "SLUG_LENGTH",
    "Agent",
    "Document",
    "HttpTransport",
    "McpServer",
    "Permissions",
    "PlainHeader",
    "PlainVariable",
    "ResourceKind",
    "ResourceState",
    "SecretHeader",
    "SecretVariable",
    "Settings",
    "StdioTransport",
]


class ResourceState(StrEnum):
    """Whether a project or a resource is in use; names are permanent. Kept as long as the organisation is active."""

    ACTIVE = "active"
    """In use, and alone of its name. Left by a member who archives it."""
    ARCHIVED = "archived"
    """Kept and not in use; another may have its name. Left by a member who brings it back."""


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource.

    ``wire`` is its permanent name outside Pigi; ``name_field`` is the field that carries the name that was
    requested, and ``is_name`` says whether a text can be one; without it any text on one line can.
    """

    wire: str
    title: str
    model: type[BaseModel]
    name_field: str
    is_name: Callable[[str], bool] | None = None


RESOURCES: Final[dict[str, ResourceKind]] = {
    kind.wire: kind
    for kind in (
        ResourceKind("agent", "Agent", Agent, "name", is_identifier),
        ResourceKind("mcp-server", "MCP server", McpServer, "name", is_slug),
        ResourceKind("document", "Document", Document, "title"),
        ResourceKind("settings", "Settings", Settings, "name"),
    )
}
