"""The page of an organisation's storage: how full it is, what takes the most, and deleting for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.domain.limits import PROJECTS_KEPT, RESOURCES_KEPT
from pigi.operations.configuration import largest_resources, list_projects
from pigi.operations.plans import plan_of, stored_of
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.money import Meter, storage_meters

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def storage_page(context: OrganisationContext) -> Reply:
    """How full it is, and what takes the most."""
    application, caller = context.application, context.caller
    plan, stored = plan_of(application, caller.organisation_id), stored_of(application, caller.organisation_id)
    return draw(
        context,
        "storage/storage.html",
        here="billing",
        plan=plan,
        meters=[
            *storage_meters(plan, stored.bytes, stored.writes_today),
            Meter("Projects, archived ones too", stored.projects, PROJECTS_KEPT, "no project can be made"),
            Meter("Resources, archived ones too", stored.resources, RESOURCES_KEPT, "no resource can be made"),
        ],
        largest=largest_resources(application, caller),
        archived=list_projects(application, caller, state="archived", limit=50),
    )


ROUTES = (page(f"{OWN}/storage", storage_page, Action.CONFIGURATION_READ),)
