"""Accepting a draft into a project, or discarding it. Either way it leaves its generation at once."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import update

from pigi.domain.job_state import JobState
from pigi.domain.resources import RESOURCES, with_defaults
from pigi.domain.resources.saving import check_content
from pigi.errors import Refused
from pigi.operations.access import changing, choices_of
from pigi.operations.configuration import (
    PROJECT,
    Authorship,
    Origin,
    ResourceAddress,
    add_resource,
    add_revision,
    check_active,
    check_expected,
    find_resource,
    hold_resource,
    locked_row,
    signer,
)
from pigi.operations.generations.generations import GENERATION, read_generation
from pigi.operations.jobs import read_job
from pigi.operations.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.domain.preconditions import Tags
    from pigi.domain.resources.lint import Choices
    from pigi.domain.resources.saving import CheckedContent, ProblemEntry
    from pigi.domain.resources.secrets import Sign
    from pigi.operations.configuration import ResourceView
    from pigi.operations.generations.generations import GenerationView
    from pigi.store.sessions import TenantSession


NAME: Final = "/name"


@dataclass(frozen=True)
class Target:
    """Where a draft goes: a new resource of the project, or the next revision of one that is as ``expected``.

    ``examples`` names values of the draft that whoever accepts it calls examples.
    """

    project_id: str
    resource_id: str | None = None
    expected: Tags | None = None
    examples: frozenset[str] = frozenset()


@dataclass(frozen=True, repr=False)
class Edit:
    """What a person made of a draft: other ``content``, another ``name``, both, or nothing. The name counts."""

    content: object | None = None
    name: str | None = None


UNCHANGED: Final = Edit()


def accept_draft(
    application: Application, caller: Caller, generation_id: str, target: Target, edit: Edit = UNCHANGED
) -> ResourceView:
    """Make a draft, as edited, configuration: in one transaction the resource gets it and the generation loses it.

    What is refused stays a draft. Flaws of an edit are told by their place in it, below ``/content`` or ``/name``.

    Raises Refused: ``not_found`` for the generation, project or resource of its kind, ``draft_not_ready``,
        ``draft_gone`` if it was accepted or discarded before, ``draft_has_errors``, ``invalid`` for an edit,
        ``secret_found``, ``archived``, ``name_taken``, ``plan_limit``, ``too_many_resources`` and ``too_many_kept``
        for a new resource, ``precondition_required``, ``precondition_failed``.
    """
    generation = _finished(application, caller, generation_id)
    if generation.draft is None:
        raise Refused("draft_gone")
    choices = choices_of(application.control, caller.organisation_id)
    sign = signer(application, caller.organisation_id)
    content = _checked(generation, edit, target.examples, choices, sign)
    as_drafted = json.loads(content.text) == with_defaults(generation.resource, generation.draft)
    origin = Origin.GENERATED if as_drafted else Origin.GENERATED_EDITED
    by = Authorship(caller.name, origin, generation.instruction, generation.model)
    plan = plan_of(application, caller.organisation_id)
    with _taken_names(_name_pointer(generation, edit)), changing(application, caller) as session:
        # The generation first: of two that accept at once, the second finds the draft gone.
        if locked_row(session, GENERATION, generation_id).draft is None:
            raise Refused("draft_gone")
        place = _put(session, target, content, by, plan)
        _erase(session, generation_id)
        return find_resource(session, place, choices)


def discard_draft(application: Application, caller: Caller, generation_id: str) -> None:
    """Erase a draft now. Safe to repeat. Raises Refused ``not_found``, ``draft_not_ready``."""
    _finished(application, caller, generation_id)
    with changing(application, caller) as session:
        _erase(session, generation_id)


def _finished(application: Application, caller: Caller, generation_id: str) -> GenerationView:
    """The generation, if its job succeeded: until then another attempt could write the draft once more."""
    generation = read_generation(application, caller.organisation_id, generation_id)
    if read_job(application, generation.job_id, caller.organisation_id).state != JobState.SUCCEEDED:
        raise Refused("draft_not_ready")
    return generation


def _checked(
    generation: GenerationView, edit: Edit, examples: frozenset[str], choices: Choices, sign: Sign
) -> CheckedContent:
    field = RESOURCES[generation.resource].name_field
    content = generation.draft if edit.content is None else edit.content
    if edit.name is not None and isinstance(content, dict):
        content = {**content, field: edit.name}
    try:
        return check_content(generation.resource, content, examples, choices, sign)
    except Refused as refusal:
        flaws: Any = refusal.details["errors"]
        errors = [_placed(flaw, edit, f"/{field}") for flaw in flaws]
        of_draft = edit.content is None and (edit.name is None or any(flaw["pointer"] != NAME for flaw in errors))
        code = "draft_has_errors" if refusal.code == "invalid" and of_draft else refusal.code
        raise Refused(code, **{**refusal.details, "errors": errors}) from None


def _placed(flaw: ProblemEntry, edit: Edit, name_field: str) -> ProblemEntry:
    """A flaw of the content by its place in the edit; without one, by its place in the draft."""
    if edit.name is not None and flaw["pointer"] == name_field:
        return {**flaw, "pointer": NAME}
    if edit.content is None:
        return flaw
    return {key: f"/content{value}" if key in {"pointer", "slot"} else value for key, value in flaw.items()}


def _name_pointer(generation: GenerationView, edit: Edit) -> str:
    """Where the name stands that counts."""
    within = edit.content is not None and edit.name is None
    return f"/content/{RESOURCES[generation.resource].name_field}" if within else NAME


@contextmanager
def _taken_names(pointer: str) -> Iterator[None]:
    """Say at the name that it is taken, and how else the draft can be accepted."""
    try:
        yield
    except Refused as refusal:
        if refusal.code != "name_taken":
            raise
        message = "is taken in this project: send another name, or accept it as the next revision of what has this one"
        raise Refused("name_taken", errors=[{"pointer": pointer, "message": message}]) from None


def _put(
    session: TenantSession, target: Target, content: CheckedContent, by: Authorship, plan: Plan
) -> ResourceAddress:
    if target.resource_id is None:
        check_active(locked_row(session, PROJECT, target.project_id))
        made = add_resource(session, target.project_id, content, by, plan)
        return ResourceAddress(target.project_id, content.kind, made)
    place = ResourceAddress(target.project_id, content.kind, target.resource_id)
    resource = hold_resource(session, place)
    check_expected(resource, target.expected)
    add_revision(session, resource, content, by, plan)
    return place


def _erase(session: TenantSession, generation_id: str) -> None:
    session.execute(update(GENERATION).where(GENERATION.c.id == generation_id).values(draft=None, findings=None))
