"""Organisations' databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.operations import organisations
from tasks.runtime import job

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


@job(MIGRATE_ORGANISATION)
def migrate_organisation(context: JobContext, hands: Hands) -> None:
    """Bring one organisation's database to the newest revision."""
    organisations.migrate_organisation(context, hands.application.tenants)
