"""Deleting archived configuration for good: how an organisation makes room under its plan's bytes.

Backups hold what was deleted until their day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.retention import Retention
from pigi.errors import Refused
from pigi.operations.access import changing, vouch_for
from pigi.operations.audit import record
from pigi.operations.configuration import remove_project, remove_resource
from pigi.store.holds import is_held, lock_holds

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.operations.configuration import ResourceAddress


def delete_resource(application: Application, caller: Caller, place: ResourceAddress) -> None:
    """Delete an archived resource, or one of an archived project, with all its revisions; nothing brings it back.

    Raises Refused: ``not_found``, ``not_archived``, ``configuration_held``, ``confirmation_required``.
    """
    with changing(application, caller) as session:
        remove_resource(session, place)
        _enter(application, caller, "resource.deleted", f"resource:{place.resource_id}", 1)


def delete_project(application: Application, caller: Caller, project_id: str) -> None:
    """Delete an archived project with all that is in it; nothing brings it back.

    Raises Refused as `delete_resource`.
    """
    with changing(application, caller) as session:
        count = remove_project(session, project_id)
        _enter(application, caller, "project.deleted", f"project:{project_id}", count)


def _enter(application: Application, caller: Caller, kind: str, subject: str, count: int) -> None:
    """Enter the act into the audit chain, as the last thing before the deletion is committed.

    So none is without its entry; one that fails in this very moment has an entry too many.
    """
    with application.control.begin() as session:
        lock_holds(session.connection(), shared=True)
        if is_held(session.connection(), caller.organisation_id, Retention.CONFIGURATION):
            raise Refused("configuration_held")
        vouch_for(session, caller)
        record(session, application, kind, caller.name, caller.organisation_id, subject, count=count)
