"""All organisations, for operators: names and figures, nothing that is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.domain.job_state import JobState
from pigi.jobs.model.transitions import JOB
from pigi.store.control import Organisation
from pigi.store.paging import read_stretch
from pigi.store.people import Membership

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application

ORGANISATION: Any = Organisation.__table__
MEMBERSHIP: Any = Membership.__table__


@dataclass(frozen=True)
class OrganisationFigures:
    """An organisation by name; how many members it has and jobs of it failed, as long as those are kept.

    ``bytes`` is what its database takes; None if it has none.
    """

    id: str
    name: str
    state: str
    created_at: datetime
    members: int
    failed: int
    bytes: int | None


def oversee_organisations(
    application: Application, *, limit: int = 50, before: str | int | None = None, after: str | int | None = None
) -> list[OrganisationFigures]:
    """Organisations, newest first, without Pigi's own.

    ``before`` is the id of the last one of the page before, ``after`` that of the first one of the page after.
    """
    query = select(ORGANISATION).where(ORGANISATION.c.canary.is_(False))
    with application.control.autocommit() as connection:
        rows = read_stretch(connection.execute, query, ORGANISATION.c.id, limit=limit, before=before, after=after)
        ids = [row.id for row in rows]
        members = _counts(connection, MEMBERSHIP.c.organisation_id, MEMBERSHIP.c.organisation_id.in_(ids))
        of_these = JOB.c.organisation_id.in_(ids) & (JOB.c.state == JobState.FAILED)
        failed = _counts(connection, JOB.c.organisation_id, of_these)
    sizes = application.tenants.sizes(ids)
    return [
        OrganisationFigures(
            row.id,
            row.name,
            row.state,
            row.created_at,
            members.get(row.id, 0),
            failed.get(row.id, 0),
            sizes.get(row.id),
        )
        for row in rows
    ]


def _counts(connection: Connection, column: Any, which: Any) -> dict[str, int]:
    counted = select(column, func.count()).where(which).group_by(column)
    return {row[0]: row[1] for row in connection.execute(counted)}
