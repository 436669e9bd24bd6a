"""Projects: making, reading, changing, archiving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from pigi.clock import now
from pigi.domain.limits import PROJECTS, ROW_BYTES
from pigi.domain.preconditions import tag_of
from pigi.domain.resources import ResourceState
from pigi.domain.resources.saving import check_words
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.access import changing, reading, serialise_changes
from pigi.operations.configuration.listing import Sort, listed_rows
from pigi.operations.configuration.workspace import check_active, check_expected, locked_row, name_key, note_move
from pigi.operations.plans import Growth, check_resources, count_write, plan_of, sealed_length, weight
from pigi.store.tenant import Project

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.preconditions import Tags
    from pigi.store.sessions import TenantSession

PROJECT: Any = Project.__table__
TABLE = "project"


@dataclass(frozen=True, repr=False)
class ProjectView:
    """A project as its organisation may see it."""

    id: str
    name: str
    description: str
    state: str
    revision: int
    created_at: datetime
    updated_at: datetime
    created_by: str

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return tag_of(self.revision, self.state)


def create_project(application: Application, caller: Caller, name: str, description: str = "") -> ProjectView:
    """A new, empty project.

    Raises Refused: ``secret_found``, ``invalid``, ``name_taken``, ``too_many_projects``, ``too_many_kept``,
        ``plan_limit``.
    """
    check_words({"name": name, "description": description})
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        leave_project_room(session)
        count_write(session, plan, growth_of_project(name, description))
        return add_project(session, caller.name, name, description)


def growth_of_project(name: str, description: str) -> Growth:
    """What a new project counts."""
    return Growth(ROW_BYTES + sealed_length(name) + sealed_length(description), projects=1, writes=1)


def add_project(  # noqa: PLR0913 - a row's columns
    session: TenantSession,
    author: str,
    name: str,
    description: str,
    state: ResourceState = ResourceState.ACTIVE,
    project_id: str | None = None,
) -> ProjectView:
    """A new, empty project of words that were checked, for which there is room and which is charged for."""
    project_id, moment = project_id or new_id(), now()
    row = {
        "id": project_id,
        **_words(session, project_id, name, description),
        "state": state,
        "revision": 1,
        "created_at": moment,
        "updated_at": moment,
        "created_by": author,
    }
    session.execute(insert(PROJECT), row)
    return ProjectView(project_id, name, description, state, 1, moment, moment, author)


def find_active_project(session: TenantSession, name: str) -> ProjectView | None:
    """The project in use that has this name, or one that reads the same."""
    own = PROJECT.c.name_key == name_key(session, name, TABLE), PROJECT.c.state == ResourceState.ACTIVE
    row = session.execute(select(PROJECT).where(*own)).first()
    return None if row is None else _view(session, row)


def read_project(application: Application, caller: Caller, project_id: str) -> ProjectView:
    """The project, archived or not; raises Refused ``not_found``."""
    if not is_id(project_id):
        raise Refused("not_found")
    with reading(application, caller) as session:
        row = session.execute(select(PROJECT).where(PROJECT.c.id == project_id)).first()
        if row is None:
            raise Refused("not_found")
        return _view(session, row)


def list_projects(  # noqa: PLR0913 - filters, each named at the call
    application: Application,
    caller: Caller,
    *,
    state: str = ResourceState.ACTIVE,
    sort: str = Sort.NEWEST,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[ProjectView]:
    """Projects in an order of `Sort`; ``before`` and ``after`` are ids (`listed_rows`)."""
    which = [PROJECT.c.state == state]
    with reading(application, caller) as session:
        rows = listed_rows(session, PROJECT, which, sort, limit=limit, before=before, after=after)
        return [_view(session, row) for row in rows]


def count_projects(application: Application, caller: Caller) -> dict[str, int]:
    """How many projects are in each state."""
    query = select(PROJECT.c.state, func.count()).group_by(PROJECT.c.state)
    with reading(application, caller) as session:
        return {row[0]: row[1] for row in session.execute(query)}


def change_project(  # noqa: PLR0913 - what may change, each named at the call
    application: Application,
    caller: Caller,
    project_id: str,
    expected: Tags | None,
    *,
    name: str | None = None,
    description: str | None = None,
) -> ProjectView:
    """Give it another name or description; what is None stays. What changes nothing makes no revision.

    Raises Refused: ``not_found``, ``archived``, ``precondition_required``, ``precondition_failed``,
        ``secret_found``, ``invalid``, ``name_taken``, ``plan_limit``.
    """
    check_words({"name": name or "", "description": description or ""})
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        row = locked_row(session, PROJECT, project_id)
        check_active(row)
        check_expected(row, expected)
        known = _view(session, row)
        wanted = (known.name if name is None else name, known.description if description is None else description)
        if wanted != (known.name, known.description):
            words = _words(session, row.id, *wanted)
            count_write(session, plan, Growth(weight(words) - weight(row._mapping), writes=1))  # noqa: SLF001 - SQLAlchemy's name
            values = {**words, "revision": row.revision + 1, "updated_at": now()}
            session.execute(update(PROJECT).where(PROJECT.c.id == row.id).values(**values))
        return _view(session, locked_row(session, PROJECT, row.id))


def archive_project(application: Application, caller: Caller, project_id: str) -> ProjectView:
    """Put it out of use, with its resources; its name becomes free. Safe to repeat. Raises Refused ``not_found``."""
    return _move(application, caller, project_id, ResourceState.ARCHIVED)


def unarchive_project(application: Application, caller: Caller, project_id: str) -> ProjectView:
    """Bring it back, with its resources. Safe to repeat.

    Raises Refused: ``not_found``, ``name_taken`` by another meanwhile, ``too_many_projects``; ``plan_limit`` if its
        active resources are too many with those of the other projects.
    """
    return _move(application, caller, project_id, ResourceState.ACTIVE)


def _move(application: Application, caller: Caller, project_id: str, state: ResourceState) -> ProjectView:
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        row = locked_row(session, PROJECT, project_id)
        moves, back = row.state != state, state == ResourceState.ACTIVE
        if moves and back:
            leave_project_room(session)
            check_resources(session, plan, of_project=row.id)
        if moves:
            count_write(session, plan if back else None, Growth(writes=1))
        session.execute(PROJECT.update().where(PROJECT.c.id == row.id).values(state=state))
        view = _view(session, locked_row(session, PROJECT, row.id))
    if moves:
        note_move(application, caller, f"project:{row.id}", state)
    return view


def leave_project_room(session: TenantSession, adding: int = 1) -> None:
    """Raise Refused ``too_many_projects`` unless so many more may be in use."""
    serialise_changes(session, "projects")
    active = select(func.count()).select_from(PROJECT).where(PROJECT.c.state == ResourceState.ACTIVE)
    if session.execute(active).scalar_one() + adding > PROJECTS:
        raise Refused("too_many_projects", limit=PROJECTS)


def _words(session: TenantSession, project_id: str, name: str, description: str) -> dict[str, Any]:
    seal = session.sealer.seal
    return {
        "name": seal(name, TABLE, "name", project_id),
        "name_key": name_key(session, name, TABLE),
        "description": seal(description, TABLE, "description", project_id),
    }


def _view(session: TenantSession, row: Any) -> ProjectView:
    unseal = session.sealer.open
    return ProjectView(
        row.id,
        unseal(row.name, TABLE, "name", row.id),
        unseal(row.description, TABLE, "description", row.id),
        row.state,
        row.revision,
        row.created_at,
        row.updated_at,
        row.created_by,
    )
