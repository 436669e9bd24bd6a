"""Where what is imported goes: beside what is there, never over it.

A project goes into the one in use that has its name, or is made. There a resource that is there already, as it is now,
is left as it is. One that is there with other content goes, with its history, into a new project beside it; names
and contents stay as they are, so what refers to them still does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.names import NAME_LENGTH
from pigi.domain.resources import ResourceState
from pigi.operations.configuration import add_project, find_active_project, leave_project_room, texts_of_name

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.operations.configuration import History, ProjectView
    from pigi.operations.imports.entries import CheckedProject
    from pigi.store.sessions import TenantSession

_ASIDE: Final = " (imported)"


@dataclass
class Cursor:
    """How far an import is: entries of the file that are done, and where the resources of the current project go.

    ``merged`` says that the project was there before the upload; ``aside`` is the one beside it, once there is one.
    """

    done: int = 0
    project: str = ""
    name: str = ""
    description: str = ""
    active: bool = True
    merged: bool = False
    aside: str = ""

    @classmethod
    def read(cls, text: str) -> Cursor:
        """As it was written."""
        return cls(**json.loads(text)) if text else cls()

    def written(self) -> str:
        """As its row holds it, without the words that the file has too."""
        facts: dict[str, Any] = {**asdict(self), "name": "", "description": ""}
        return json.dumps(facts, separators=(",", ":"))


def there_before(session: TenantSession, project: CheckedProject, uploaded: datetime) -> str | None:
    """The project that this one goes into; one that was made since, perhaps by this very import, is another's."""
    if project.state != ResourceState.ACTIVE:
        return None
    found = find_active_project(session, project.name)
    return found.id if found is not None and found.created_at < uploaded else None


def is_there(session: TenantSession, project_id: str, history: History) -> bool | None:
    """Whether the project has this resource as it is now; None if it has none of its name, which is free then.

    The names of archived resources are always free.
    """
    latest = history.latest.content
    texts = texts_of_name(session, project_id, history.kind, latest.name, history.state)
    if latest.text in texts:
        return True
    return None if not texts or history.state != ResourceState.ACTIVE else False


def free_name(session: TenantSession, name: str) -> str:
    """A name like this one that no project in use has."""
    if find_active_project(session, name) is None:
        return name
    number, ending = 1, _ASIDE
    while find_active_project(session, made := name[: NAME_LENGTH - len(ending)] + ending) is not None:
        number += 1
        ending = f" (imported {number})"
    return made


def make_project(
    session: TenantSession, author: str, cursor: Cursor, state: ResourceState, project_id: str | None = None
) -> ProjectView:
    """A new project for what the cursor is at, perhaps of this id, to be charged for with what goes in.

    Raises Refused ``too_many_projects``.
    """
    name = cursor.name
    if state == ResourceState.ACTIVE:
        leave_project_room(session)
        name = free_name(session, cursor.name)
    return add_project(session, author, name, cursor.description, state, project_id)
