"""Resources and their revisions as they are shown. What is sent is the content itself, of its kind's own model."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pigi.domain.resources import Agent, Document, McpServer, Settings
from pigi.domain.resources.kinds.fields import IDENTIFIER_LENGTH
from web.api.projects import State
from web.http.schemas import Id, RequestModel, ResourceKind, ResponseModel


class AcceptRequest(RequestModel):
    """Accept a draft into a project: as a new resource, or as the next revision of ``resource``.

    It may be edited and renamed by that: its revision then says so.
    """

    project: Id = Field(description="The project's id.")
    resource: Id | None = Field(default=None, description="The id of a resource of the draft's kind; needs If-Match.")
    name: str | None = Field(
        default=None, min_length=1, max_length=IDENTIFIER_LENGTH, description="Its name, if another."
    )
    content: dict[str, Any] | None = Field(
        default=None, description="All of its content, if changed; of the schema of its kind. `name` counts before it."
    )


class Looked(ResponseModel):
    """A rule that the content breaks though it may; ``pointer`` (RFC 6901) says where.

    Of what looks like a secret also the ``line`` of its text, counted from 1, and its ``kind`` in words; of characters
    that nobody sees the ``line``, the ``column`` and as ``kind`` the code point of the first.
    """

    rule: str
    level: Literal["error", "warning"]
    sentence: str
    pointer: str
    line: int | None = None
    column: int | None = None
    kind: str | None = None


class KeptExample(ResponseModel):
    """A value that looks like a secret and was kept, because whoever saved it called it an example.

    ``example`` names the value: a revision that keeps it needs not be told again.
    """

    example: str
    pointer: str
    line: int = Field(ge=1)
    kind: str


class ResourceLinks(ResponseModel):
    """Where to go from a resource."""

    self: str
    project: str
    revisions: str
    archive: str
    unarchive: str


class ResourceSummary(ResponseModel):
    """A resource without its content; ``revision`` is the number of its current revision."""

    id: Id
    organisation_id: Id
    project_id: Id
    kind: ResourceKind
    name: str
    revision: int = Field(ge=1)
    state: State
    created_at: datetime
    updated_at: datetime
    links: ResourceLinks


class ResourceList(ResponseModel):
    """A project's resources of a kind, in the order asked for; ``counts`` says how many of the kind are in each state.

    ``next`` and ``previous`` are the paths of the following page and of the one before, null at the ends.
    """

    resources: list[ResourceSummary]
    counts: dict[State, int]
    next: str | None
    previous: str | None


class Resource(ResourceSummary):
    """A resource of any kind, with its content and what a person should look at."""

    content: dict[str, Any]
    findings: list[Looked]


class AgentResource(ResourceSummary):
    """An agent."""

    content: Agent
    findings: list[Looked]


class McpServerResource(ResourceSummary):
    """An MCP server."""

    content: McpServer
    findings: list[Looked]


class DocumentResource(ResourceSummary):
    """A document."""

    content: Document
    findings: list[Looked]


class SettingsResource(ResourceSummary):
    """Settings."""

    content: Settings
    findings: list[Looked]


class RevisionSummary(ResponseModel):
    """A revision without its content; a generated one names the instruction's version and the model."""

    number: int = Field(ge=1)
    author: str = Field(description="The pseudonym of an account or an API key, or `former member`.")
    origin: Literal["written", "generated", "generated_edited"]
    instruction: str | None
    model: str | None
    created_at: datetime
    examples: list[KeptExample]


class RevisionList(ResponseModel):
    """A resource's revisions, newest first; ``next`` is the path of the following page, null on the last."""

    revisions: list[RevisionSummary]
    next: str | None


class AgentRevision(RevisionSummary):
    """What an agent was."""

    content: Agent


class McpServerRevision(RevisionSummary):
    """What an MCP server was."""

    content: McpServer


class DocumentRevision(RevisionSummary):
    """What a document was."""

    content: Document


class SettingsRevision(RevisionSummary):
    """What settings were."""

    content: Settings
