"""Projects as they are sent and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from web.schemas import Asked, Id, Told
from web.texts import NAME_LENGTH, VISIBLE_DESCRIPTION_PATTERN, VISIBLE_NAME_PATTERN, Description, Name

State = Literal["active", "archived"]
ProjectName = Annotated[
    Name,
    Field(
        description=f"The project's name, 1 to {NAME_LENGTH} characters on one line; no two active ones share one.",
        json_schema_extra={"pattern": VISIBLE_NAME_PATTERN},
    ),
]
ProjectDescription = Annotated[Description, Field(json_schema_extra={"pattern": VISIBLE_DESCRIPTION_PATTERN})]


class ProjectRequest(Asked):
    """Make a project."""

    name: ProjectName
    description: ProjectDescription = ""


class ProjectChange(Asked):
    """Change a project: what is left out, or null, stays."""

    name: ProjectName | None = None
    description: ProjectDescription | None = None


class ProjectLinks(Told):
    """Where to go from a project."""

    self: str
    archive: str
    unarchive: str
    agents: str
    mcp_servers: str
    documents: str
    settings: str


class Project(Told):
    """A project; ``created_by`` is the pseudonym of an account or an API key."""

    id: Id
    organisation_id: Id
    name: str
    description: str
    state: State
    revision: int = Field(ge=1)
    created_at: datetime
    updated_at: datetime
    created_by: str
    links: ProjectLinks


class ProjectList(Told):
    """Projects, newest first; ``next`` is the path of the following page, null on the last."""

    projects: list[Project]
    next: str | None
