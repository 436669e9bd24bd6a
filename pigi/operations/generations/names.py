"""Names of drafts, looked at before a draft is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.limits import RESOURCES as MOST
from pigi.domain.resources import ResourceState, expected_name, name_flaw
from pigi.errors import Refused
from pigi.operations.configuration import folded, list_resources, read_project

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Caller


def check_draft_name(application: Application, caller: Caller, kind: str, name: str, project_id: str | None) -> None:
    """Refuse a name under which no draft could be accepted, by itself or in a project.

    Raises Refused: ``invalid``, ``name_taken``; ``not_found`` and ``archived`` for the project.
    """
    wanted = expected_name(kind, name)
    flaw = name_flaw(kind, wanted)
    if flaw is not None:
        raise Refused("invalid", errors=[{"pointer": "/name", "message": flaw.sentence}])
    if project_id is None:
        return
    if read_project(application, caller, project_id).state != ResourceState.ACTIVE:
        raise Refused("archived")
    known = list_resources(application, caller, project_id, kind, limit=MOST)
    if any(folded(one.name) == folded(wanted) for one in known):
        message = f"{wanted} is taken in this project: choose another, or leave the project open to accept the draft "
        message += "as the next revision of what has it"
        raise Refused("name_taken", errors=[{"pointer": "/name", "message": message}])
