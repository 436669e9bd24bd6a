"""Requests for rotations: by an operator, and by the schedule for what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, func, or_, select

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.keys import DATA_KEY_AGE, DUE_IN_A_RUN, KEPT_EMPTY
from pigi.errors import Refused
from pigi.jobs.execution.isolation import Isolation, for_each
from pigi.jobs.kinds import ROTATE_DATA_KEY, ROTATE_KEYRING
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION
from pigi.operations.audit import record
from pigi.operations.keys.data_keys import KEY
from pigi.operations.keys.providers import note_provider_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext

REQUESTED_BY = "schedule"


def request_rotation(application: Application, by: str, organisation: str | None = None, *, data: bool = False) -> int:
    """Request a rotation: of the keyring; of the data key of one organisation; or, with ``data``, of all data keys.

    Returns how many jobs were queued. What is already being rotated goes on and begins nothing new.

    Raises Refused: ``not_found``, without an active organisation of that id.
    """
    if organisation is None and not data:
        with application.control.begin() as session:
            enqueue(session, application.notifier, ROTATE_KEYRING, organisation_id=None, requested_by=by)
            record(session, application, "keyring.rotation_requested", by, None, None)
        return 1
    active = select(ORGANISATION.c.id).where(ORGANISATION.c.state == OrganisationState.ACTIVE.value)
    if organisation is not None:
        active = active.where(ORGANISATION.c.id == organisation)
    with application.control.autocommit() as connection:
        found: Sequence[str] = connection.execute(active.order_by(ORGANISATION.c.id)).scalars().all()
    if organisation is not None and not found:
        raise Refused("not_found")
    isolation = Isolation("rotation")
    for one in found:
        with isolation.of(one):
            _begin(application, one, by)
    isolation.report(len(found))
    return len(found) - isolation.skipped


def rotate_due(context: JobContext, application: Application) -> None:
    """Begin what is due and go on with what was begun, the oldest first; and note how old providers' keys are."""
    note_provider_keys(application)
    found = _due(application)
    for_each(context, found, lambda one: _begin(application, one, REQUESTED_BY), "renewing")


def _due(application: Application) -> Sequence[str]:
    """Organisations with a key that is too old, or with an old one that is not destroyed though it may be."""
    moment = now()
    waiting = exists().where(
        JOB.c.organisation_id == KEY.c.organisation_id,
        JOB.c.kind.in_((ROTATE_DATA_KEY.name,)),
        JOB.c.finished_at.is_(None),
    )
    newest = func.max(KEY.c.created_at)
    over = func.min(func.coalesce(KEY.c.emptied_at, moment - KEPT_EMPTY, type_=KEY.c.emptied_at.type))
    unfinished = (func.count() > 1) & (over <= moment - KEPT_EMPTY)
    query = (
        select(KEY.c.organisation_id)
        .join(ORGANISATION, ORGANISATION.c.id == KEY.c.organisation_id)
        .where(ORGANISATION.c.state == OrganisationState.ACTIVE.value, ~waiting)
        .group_by(KEY.c.organisation_id)
        .having(or_(newest <= moment - DATA_KEY_AGE, unfinished))
        .order_by(newest, KEY.c.organisation_id)
        .limit(DUE_IN_A_RUN)
    )
    with application.control.autocommit() as connection:
        return connection.execute(query).scalars().all()


def _begin(application: Application, organisation: str, by: str) -> None:
    """Make a new data key unless a rotation is under way, and queue the job that seals everything with it.

    If this dies between the two, the schedule goes on with it.
    """
    begun = application.tenants.renew_key(organisation)
    actor = "pigi" if by == REQUESTED_BY else by
    with application.control.begin() as session:
        enqueue(session, application.notifier, ROTATE_DATA_KEY, organisation_id=organisation, requested_by=by)
        if begun:
            record(session, application, "datakey.renewed", actor, organisation, None)
