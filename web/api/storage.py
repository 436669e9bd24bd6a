"""What an organisation stores, how much of it the plan allows, and what takes the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from pigi.domain.access import Action
from pigi.domain.limits import PROJECTS_KEPT, RESOURCES_KEPT
from pigi.domain.plans import Limit
from pigi.operations.configuration import largest_resources
from pigi.operations.plans import plan_of, stored_of
from web.api.projects import project_path
from web.api.resources.routes import SEGMENTS
from web.http.replies import API, as_json, reply
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, ResponseModel

if TYPE_CHECKING:
    from pigi.domain.access import Caller
    from pigi.operations.configuration import SpaceView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


class UsedOf(ResponseModel):
    """How much is used, and how much may be; null is without limit."""

    used: int = Field(ge=0)
    limit: int | None = Field(ge=0)


class StoredLinks(ResponseModel):
    """Where it is; DELETE there deletes it for good, once it or its project is archived."""

    self: str
    project: str


class StoredResource(ResponseModel):
    """A resource and what it takes with all its revisions."""

    id: Id
    kind: str
    name: str
    state: str
    project_id: Id
    project_name: str
    project_state: str
    bytes: int = Field(ge=0)
    revisions: int = Field(ge=1)
    links: StoredLinks


class StorageUse(ResponseModel):
    """What is stored, archived or not, and written; and the fifty resources that take the most, the largest first."""

    bytes: UsedOf
    writes_today: UsedOf
    projects: UsedOf
    resources: UsedOf
    largest: list[StoredResource]


def show_storage(context: OrganisationContext) -> Reply:
    """What is stored and written, the limits, and the fifty resources that take the most."""
    application, caller = context.application, context.caller
    plan, stored = plan_of(application, caller.organisation_id), stored_of(application, caller.organisation_id)
    shown = {
        "bytes": {"used": stored.bytes, "limit": plan.most(Limit.BYTES)},
        "writes_today": {"used": stored.writes_today, "limit": plan.most(Limit.WRITES)},
        "projects": {"used": stored.projects, "limit": PROJECTS_KEPT},
        "resources": {"used": stored.resources, "limit": RESOURCES_KEPT},
        "largest": [_shown(caller, one) for one in largest_resources(application, caller)],
    }
    return reply(as_json(shown))


def _shown(caller: Caller, one: SpaceView) -> dict[str, Any]:
    project = project_path(caller.organisation_id, one.project_id)
    return {**vars(one), "links": {"self": f"{project}/{SEGMENTS[one.kind]}/{one.id}", "project": project}}


ROUTES = (
    Route(
        "GET",
        f"{API}/organisations/<organisation>/storage",
        show_storage,
        Action.CONFIGURATION_READ,
        RouteKind.READ,
        "Read what takes the space",
        (ResponseSpec(200, "What is stored", StorageUse),),
    ),
)
