"""Accepting a draft into a project, or discarding it. Either way it leaves its generation at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update

from pigi.domain.job_state import JobState
from pigi.domain.resources.saving import check_content
from pigi.errors import Refused
from pigi.operations.access import changing
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
    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.domain.preconditions import Tags
    from pigi.domain.resources.saving import CheckedContent
    from pigi.domain.resources.secrets import Sign
    from pigi.operations.configuration import ResourceView
    from pigi.operations.generations.generations import GenerationView
    from pigi.store.sessions import TenantSession


@dataclass(frozen=True)
class Target:
    """Where a draft goes: a new resource of the project, or the next revision of one that is as ``expected``.

    ``examples`` names values of the draft that whoever accepts it calls examples.
    """

    project_id: str
    resource_id: str | None = None
    expected: Tags | None = None
    examples: frozenset[str] = frozenset()


def accept_draft(application: Application, caller: Caller, generation_id: str, target: Target) -> ResourceView:
    """Make a draft configuration: in one transaction the resource gets it and the generation loses it.

    Raises Refused: ``not_found`` for the generation, project or resource of its kind, ``draft_not_ready``,
        ``draft_gone`` if it was accepted or discarded before, ``draft_has_errors``, ``secret_found``,
        ``archived``, ``name_taken``, ``too_many_resources`` and ``plan_limit`` for a new resource,
        ``precondition_required``, ``precondition_failed``.
    """
    generation = _finished(application, caller, generation_id)
    if generation.draft is None:
        raise Refused("draft_gone")
    content = _checked(generation, target.examples, signer(application, caller.organisation_id))
    by = Authorship(caller.name, Origin.GENERATED, generation.instruction, generation.model)
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        # The generation first: of two that accept at once, the second finds the draft gone.
        if locked_row(session, GENERATION, generation_id).draft is None:
            raise Refused("draft_gone")
        place = _put(session, target, content, by, plan)
        _erase(session, generation_id)
        return find_resource(session, place)


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


def _checked(generation: GenerationView, examples: frozenset[str], sign: Sign) -> CheckedContent:
    try:
        return check_content(generation.resource, generation.draft, examples, sign)
    except Refused as refusal:
        code = "draft_has_errors" if refusal.code == "invalid" else refusal.code
        raise Refused(code, **refusal.details) from None


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
    add_revision(session, resource, content, by)
    return place


def _erase(session: TenantSession, generation_id: str) -> None:
    session.execute(update(GENERATION).where(GENERATION.c.id == generation_id).values(draft=None, findings=None))
