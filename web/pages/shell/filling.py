"""What pages on which people write say of limits that are nearly met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.plans import plan_of, stored_of
from web.pages.shell.money import storage_meters

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.pages.shell.money import Meter


def filling_of(context: OrganisationContext) -> list[Meter]:
    """The limits on saving of which four fifths are used: the shell says so above the page."""
    organisation_id = context.caller.organisation_id
    stored, plan = stored_of(context.application, organisation_id), plan_of(context.application, organisation_id)
    return [meter for meter in storage_meters(plan, stored.bytes, stored.writes_today) if meter.is_filling]
