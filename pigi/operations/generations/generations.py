"""Generations: requesting a draft, reading it, and erasing its content when its job ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.domain.resources.saving import check_secrets
from pigi.domain.retention import HELD_AGAIN, RETRYABLE, Retention, keep
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.generations.names import check_draft_name
from pigi.operations.plans import UsageLimits, check_usage, count_usage, plan_in
from pigi.store.holds import is_held
from pigi.store.processing import refuse_stopped
from pigi.store.tenant import Generation, LiveText
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.cleanup import EndedJob
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession, TenantSession
    from pigi.store.tenants import Tenants

GENERATION: Any = Generation.__table__
LIVE_TEXT: Any = LiveText.__table__
TABLE = "generation"


@dataclass(frozen=True)
class GenerationView:
    """A generation as its organisation may see it; ``draft`` is None until there is one, and after its period."""

    id: str
    job_id: str
    resource: str
    name: str
    draft: dict[str, Any] | None
    findings: tuple[dict[str, str], ...]
    instruction: str | None
    model: str | None
    input_tokens: int
    output_tokens: int
    created_at: datetime
    drafted_at: datetime | None


@dataclass(frozen=True)
class WaitingDraft:
    """A draft that waits for somebody to accept or discard it."""

    id: str
    job_id: str
    resource: str
    name: str
    drafted_at: datetime | None


@dataclass(frozen=True)
class LivePiece:
    """A piece of text as it streamed; a new ``turn`` starts the text over."""

    position: int
    turn: int
    text: str


def request_generation(  # noqa: PLR0913 - what is requested, by whom, and what to do with the answer
    application: Application,
    caller: Caller,
    resource: str,
    name: str,
    purpose: str,
    on_queued: Callable[[ControlSession, JobView], None] | None = None,
    project_id: str | None = None,
) -> JobView:
    """Request a draft: first the row it is about (tenant), then the job about it (control), then the notification.

    What is refused is refused before anything is written. The limits are checked again in the job's transaction, in
    which ``on_queued`` runs too: if that does not commit, what was written first is removed; if the process dies in
    between, `sweep_generations` removes it. A commit whose answer was lost counts if the job is there.

    No draft is written, and paid for, under a name that could not be accepted: one that is reserved, or taken in
    ``project_id``, where it is meant to go. Where that is is not kept.

    Raises Refused: ``too_many_in_flight``, ``too_many_today``, ``plan_limit``, ``organisation_closed``,
        ``processing_restricted``, ``processing_objected``; ``secret_found`` in name or purpose, which leave Pigi;
        ``invalid`` and ``name_taken`` for the name, ``not_found`` and ``archived`` for the project.
    """
    check_secrets({"name": name, "purpose": purpose})
    check_draft_name(application, caller, resource, name, project_id)
    organisation_id, generation_id, job_id = caller.organisation_id, new_id(), new_id()
    limits = _allowed(application, caller)
    with application.tenants.read(organisation_id) as tenant:  # one statement, its own transaction
        _insert(tenant, generation_id, job_id, resource, name, purpose)
    job: JobView | None = None
    try:
        with application.control.begin() as session:
            count_usage(session, organisation_id, limits)
            queued = enqueue(
                session,
                application.notifier,
                GENERATE_DRAFT,
                organisation_id=organisation_id,
                requested_by=caller.name,
                subject_id=generation_id,
                job_id=job_id,
            )
            if on_queued is not None:
                on_queued(session, queued)
            job = queued
    except BaseException as error:
        if job is None:
            remove_generation(application.tenants, organisation_id, generation_id)
        # Else the server was asked to commit and may have done so, or may yet: the row is the job's, or an orphan.
        elif isinstance(error, DBAPIError) and _is_queued(application, job_id):
            return job
        raise
    return job


def _allowed(application: Application, caller: Caller) -> UsageLimits:
    """The limits that hold for whoever asks; raises Refused if they may not ask now."""
    with application.control.autocommit() as connection:
        refuse_stopped(connection, caller.name, GENERATE_DRAFT.use)
        limits = _limits(application, connection, caller.organisation_id)
        check_usage(connection, caller.organisation_id, limits)
    return limits


def _is_queued(application: Application, job_id: str) -> bool:
    """Whether the job is there; False also while nobody can say."""
    try:
        with application.control.autocommit() as connection:
            return connection.execute(select(JOB.c.id).where(JOB.c.id == job_id)).first() is not None
    except SQLAlchemyError:
        return False


def _limits(application: Application, connection: Connection, organisation_id: str) -> UsageLimits:
    plan, settings = plan_in(connection, application, organisation_id), application.settings
    return UsageLimits(GENERATE_DRAFT, settings.generations_in_flight, settings.generations_per_day, plan)


def _insert(tenant: TenantSession, generation_id: str, job_id: str, resource: str, name: str, purpose: str) -> None:  # noqa: PLR0913 - a row's columns
    seal = tenant.sealer.seal
    tenant.connection().execute(
        insert(GENERATION),
        {
            "id": generation_id,
            "job_id": job_id,
            "resource": resource,
            "name": seal(name, TABLE, "name", generation_id),
            "purpose": seal(purpose, TABLE, "purpose", generation_id),
            "created_at": now(),
            "turns": 0,
            "input_tokens": 0,
            "output_tokens": 0,
            "fence": 0,
        },
    )


def restore_purpose(application: Application, job: EndedJob, purpose: str) -> None:
    """Store a purpose again, for a retry by hand; raises Refused ``not_retryable`` if the generation is gone."""
    organisation_id, generation_id = _subject(job)
    with application.tenants.session(organisation_id) as tenant:
        sealed = tenant.sealer.seal(purpose, TABLE, "purpose", generation_id)
        changed = tenant.connection().execute(
            update(GENERATION)
            .where(GENERATION.c.id == generation_id)
            .values(purpose=sealed, answer=None, turns=0, draft=None, fence=_past_all(job))
        )
        if changed.rowcount != 1:
            raise Refused("not_retryable")
        job.check()


def _past_all(job: EndedJob) -> int:
    """A fence that shuts out every attempt so far: one given up for dead may still come with its answer."""
    return job.attempt + 1


def _subject(job: EndedJob) -> tuple[str, str]:
    if job.organisation_id is None or job.subject_id is None:
        message = "a draft's job has an organisation and a generation"
        raise ValueError(message)
    return job.organisation_id, job.subject_id


def read_generation(application: Application, organisation_id: str, generation_id: str) -> GenerationView:
    """The generation; raises Refused ``not_found``."""
    if not is_id(generation_id):
        raise Refused("not_found")
    with application.tenants.read(organisation_id) as tenant:
        row = tenant.connection().execute(select(GENERATION).where(GENERATION.c.id == generation_id)).first()
        if row is None:
            raise Refused("not_found")
        unseal = tenant.sealer.open
        draft = json.loads(unseal(row.draft, TABLE, "draft", row.id)) if row.draft is not None else None
        return GenerationView(
            row.id,
            row.job_id,
            row.resource,
            unseal(row.name, TABLE, "name", row.id),
            draft,
            tuple(json.loads(row.findings or "[]")),
            row.instruction,
            row.model,
            row.input_tokens,
            row.output_tokens,
            row.created_at,
            row.drafted_at,
        )


def waiting_drafts(application: Application, caller: Caller, most: int = 20) -> list[WaitingDraft]:
    """Drafts that nobody has accepted or discarded yet, newest first."""
    columns = (GENERATION.c.id, GENERATION.c.job_id, GENERATION.c.resource, GENERATION.c.name, GENERATION.c.drafted_at)
    waiting = select(*columns).where(GENERATION.c.draft.is_not(None)).order_by(GENERATION.c.id.desc()).limit(most)
    with application.tenants.read(caller.organisation_id) as tenant:
        rows = tenant.connection().execute(waiting).all()
        unseal = tenant.sealer.open
        return [
            WaitingDraft(row.id, row.job_id, row.resource, unseal(row.name, TABLE, "name", row.id), row.drafted_at)
            for row in rows
        ]


def live_text(application: Application, organisation_id: str, generation_id: str, after: int) -> list[LivePiece]:
    """The pieces that streamed after position ``after``, in order; none once the job ended."""
    pieces = (
        select(LIVE_TEXT.c.position, LIVE_TEXT.c.turn, LIVE_TEXT.c.text)
        .where(LIVE_TEXT.c.generation_id == generation_id, LIVE_TEXT.c.position > after)
        .order_by(LIVE_TEXT.c.position)
    )
    with application.tenants.read(organisation_id) as tenant:
        rows = tenant.connection().execute(pieces).all()
        return [
            LivePiece(
                row.position,
                row.turn,
                tenant.sealer.open(row.text, "live_text", "text", _piece(generation_id, row.position)),
            )
            for row in rows
        ]


def _piece(generation_id: str, position: int) -> str:
    return f"{generation_id}/{position}"


def seal_piece(tenant: TenantSession, generation_id: str, position: int, text: str) -> bytes:
    """A piece of live text, sealed for its row."""
    return tenant.sealer.seal(text, "live_text", "text", _piece(generation_id, position))


def remove_generation(tenants: Tenants, organisation_id: str, generation_id: str) -> None:
    """Remove it with its live text. Safe to repeat."""
    with tenants.session(organisation_id) as tenant:
        tenant.connection().execute(delete(LIVE_TEXT).where(LIVE_TEXT.c.generation_id == generation_id))
        tenant.connection().execute(delete(GENERATION).where(GENERATION.c.id == generation_id))


def _is_held(application: Application, organisation_id: str) -> bool:
    with application.control.autocommit() as connection:
        return is_held(connection, organisation_id, Retention.DRAFT)


def clean_up(application: Application, job: EndedJob) -> datetime | None:
    """Erase what an ended job need not hold (P15); returns when to come again, None when nothing is left.

    The purpose, the model's answer and the live text go at once. A draft stays for its period, and a failed
    generation's name for the time in which it can be retried; both longer while a legal hold lasts, which never keeps
    a purpose. Safe to repeat.
    """
    organisation_id, generation_id = _subject(job)
    stays = {JobState.SUCCEEDED: keep(Retention.DRAFT), JobState.FAILED: RETRYABLE}.get(job.state)
    again = None if stays is None or job.ended_at + stays <= now() else job.ended_at + stays
    if stays is not None and again is None and _is_held(application, organisation_id):
        again = now() + HELD_AGAIN
    row = GENERATION.c.id == generation_id
    rest = update(GENERATION).where(row).values(purpose=None, answer=None, fence=_past_all(job))
    try:
        with application.tenants.session(organisation_id) as tenant:
            # The row first: once it is locked, and past its fence, no attempt adds live text to what is erased here.
            tenant.connection().execute(delete(GENERATION).where(row) if again is None else rest)
            tenant.connection().execute(delete(LIVE_TEXT).where(LIVE_TEXT.c.generation_id == generation_id))
            job.check()
    except TenantMissingError:
        return None
    return again
