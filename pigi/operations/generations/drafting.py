"""Drafting: the job that lets the model write a draft in at most two turns, with its live text."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pigi.clock import now
from pigi.domain.instructions import INSTRUCTIONS
from pigi.domain.provider_failures import ANSWERED, NOT_HAD, OPERATORS, PART
from pigi.domain.resources import UNUSABLE, as_json, json_schema, lint_draft, name_draft, parse_draft
from pigi.errors import Permanent, Temporary
from pigi.jobs.execution.timeouts import DATABASE_SECONDS
from pigi.jobs.heartbeats import record
from pigi.jobs.model.claim import LeaseLost
from pigi.operations.access import choices_of
from pigi.operations.generations.generations import GENERATION, LIVE_TEXT, TABLE, seal_piece
from pigi.ports import DraftRequest
from pigi.store.engine_cache import TenantsBusyError
from pigi.store.engines import lock_wait
from pigi.store.keyring import KeyMissingError
from pigi.store.outages import retry_while_unavailable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pigi.domain.resources import Finding
    from pigi.jobs.execution.context import JobContext
    from pigi.ports import DraftAnswer, TextModel
    from pigi.store.sessions import TenantSession
    from pigi.store.tenants import Tenants

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.2
PAUSE_SECONDS = 5.0
"""After a failed write of live text none is tried for so long: each may wait for a lock, and the stream with it."""
LOCK_SECONDS = 0.5
"""How long live text waits for a lock: whoever cancels waits with it."""


class LiveWriter:
    """Live text: what the model writes, shown while it writes. Sealed, throttled, and gone when the job ends.

    It is best effort: while the organisation's database is away, the text is collected and the draft goes on.
    """

    def __init__(self, context: JobContext, tenants: Tenants, turn: int) -> None:
        self._context = context
        self._tenants = tenants
        self._turn = context.job.attempt * 10 + turn
        self._pending: list[str] = []
        self._next_at = time.monotonic() + FLUSH_SECONDS

    def take(self, text: str) -> None:
        """Take a piece; raises what `check` raises."""
        self._pending.append(text)
        self.check()

    def check(self) -> None:
        """Store what was collected, if it is time; may raise what `JobContext.checkpoint` raises."""
        self._context.checkpoint()
        if time.monotonic() >= self._next_at:
            self.flush()

    def flush(self) -> None:
        """Store what was collected. Raises LeaseLost if a later attempt has the row, and for no other reason."""
        self._next_at = time.monotonic() + FLUSH_SECONDS
        text = "".join(self._pending)
        if not text:
            return
        try:
            self._store(text)
        except (SQLAlchemyError, Temporary) as error:
            logger.warning("live text of job %s is delayed (%s)", self._context.job.job_id, type(error).__name__)
            self._next_at = time.monotonic() + PAUSE_SECONDS
        else:
            self._pending.clear()

    def _store(self, text: str) -> None:
        generation_id = self._context.subject_id
        last = select(func.coalesce(func.max(LIVE_TEXT.c.position), 0)).where(
            LIVE_TEXT.c.generation_id == generation_id
        )
        with lock_wait(LOCK_SECONDS), self._tenants.session(self._context.organisation_id) as tenant:
            self._fence(tenant)
            position = int(tenant.connection().execute(last).scalar_one()) + 1
            tenant.connection().execute(
                insert(LIVE_TEXT),
                {
                    "generation_id": generation_id,
                    "position": position,
                    "turn": self._turn,
                    "text": seal_piece(tenant, generation_id, position, text),
                },
            )

    def _fence(self, tenant: TenantSession) -> None:
        """Raise LeaseLost if a later attempt has the row: its end erases live text, and none may come after it.

        It also holds the row, so that of two attempts one writes after the other.
        """
        generation, attempt = GENERATION.c, self._context.job.attempt
        held = generation.id == self._context.subject_id
        later = update(GENERATION).where(held, generation.fence <= attempt).values(fence=attempt)
        if tenant.connection().execute(later).rowcount != 1:
            raise LeaseLost


TURNS = 2
"""One answer and one repair."""
BUSY = (TenantsBusyError, KeyMissingError, PoolTimeoutError)
"""What passes, as an outage does, in a process that has much to do or does not know a rotated key yet."""
STEPS = 3


@dataclass(frozen=True, repr=False)
class Held:
    """What the generation's row holds while the job runs; never shown in a log."""

    resource: str
    name: str
    purpose: str | None
    answer: str | None
    turns: int
    input_tokens: int
    output_tokens: int
    drafted: bool


@dataclass(frozen=True, repr=False)
class Read:
    """An answer as far as it could be read."""

    draft: BaseModel | None
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether nothing needs repair."""
        return self.draft is not None and not any(finding.level == "error" for finding in self.findings)


def write_draft(context: JobContext, tenants: Tenants, model: TextModel) -> None:
    """Draft what the job's generation asks for.

    Raises:
        Permanent: ``malformed`` if no answer could be read, ``purpose_gone``, and what the model raises.
        Temporary: what the model raises.
    """
    held = _read_row(context, tenants)
    for turn in range(1, held.turns + 1):
        context.confirm_effect(f"model:{turn}")
    if held.drafted:
        if not context.begin_effect("draft").settled:
            context.complete_effect("draft", context.subject_id)
        return
    while not (held.answer is not None and (_read_answer(held).good or held.turns >= TURNS)):
        context.progress(held.turns, STEPS, "writing" if held.turns == 0 else "repairing")
        _take_turn(context, tenants, model, held)
        held = _read_row(context, tenants)
    _keep_draft(context, tenants, held)


def _take_turn(context: JobContext, tenants: Tenants, model: TextModel, held: Held) -> None:
    turn = held.turns + 1
    request = _request(held)
    key = _begin_call(context, turn)
    live = LiveWriter(context, tenants, turn)
    try:
        answer = model.write_draft(request, live.take, live.check)
    except (Temporary, Permanent) as error:
        if error.code in NOT_HAD:
            context.withdraw_effect(key)
        elif error.code in ANSWERED:
            context.complete_effect(key, None)
        if error.code in OPERATORS or error.code in ANSWERED:
            _note_provider(context, error.code if error.code in OPERATORS else None)
        raise
    # Nothing comes between the answer, which is paid for, and its storing: no checkpoint, and no more live text.
    retry_while_unavailable(lambda: _store_answer(context, tenants, held, answer, turn), DATABASE_SECONDS, BUSY)
    context.complete_effect(key, answer.request_id or None)
    _note_provider(context, None)
    live.flush()


def _note_provider(context: JobContext, refusal: str | None) -> None:
    """Let the log, readiness and the console know whether the provider serves Pigi; no draft may fail for that."""
    if refusal is not None:
        logger.error("the model's provider refuses this installation: %s; see docs/operations.md", refusal)
    try:
        with context.control.autocommit() as connection:
            record(connection, PART, refusal)
    except SQLAlchemyError:
        logger.warning("how the model's provider took a draft could not be noted")


def _begin_call(context: JobContext, turn: int) -> str:
    """The key of a call that is still open or new: after a retry by hand the first ones are over."""
    for number in count(turn):
        if not context.begin_effect(f"model:{number}").settled:
            break
    return f"model:{number}"


def _request(held: Held) -> DraftRequest:
    if held.purpose is None:
        raise Permanent("purpose_gone")
    sentences = () if held.answer is None else tuple(finding.sentence for finding in _read_answer(held).findings)
    return draft_request(held.resource, held.name, held.purpose, held.answer, sentences)


def draft_request(
    resource: str, name: str, purpose: str, previous: str | None = None, findings: tuple[str, ...] = ()
) -> DraftRequest:
    """All that is sent for a draft (P14): of whoever asks two values, of Pigi an instruction and a form."""
    return DraftRequest(
        instruction=INSTRUCTIONS[resource].text,
        schema=json_schema(resource),
        name=name,
        purpose=purpose,
        previous=previous,
        findings=findings,
    )


def _better(held: Held, answer: DraftAnswer) -> str:
    """The answer to keep: a repair that cannot be read does not replace a draft that can."""
    if held.answer is None or _read(held, held.answer).draft is None or _read(held, answer.text).draft is not None:
        return answer.text
    return held.answer


def _read_answer(held: Held) -> Read:
    return Read(None, ()) if held.answer is None else _read(held, held.answer)


def _read(held: Held, text: str) -> Read:
    try:
        draft = name_draft(held.resource, parse_draft(held.resource, text), held.name)
    except Permanent:
        return Read(None, (UNUSABLE,))
    return Read(draft, lint_draft(held.resource, draft, held.name))


def _keep_draft(context: JobContext, tenants: Tenants, held: Held) -> None:
    answer = _read_answer(held)
    if answer.draft is None:
        raise Permanent("malformed")
    context.begin_effect("draft")
    text = json.dumps(as_json(answer.draft), ensure_ascii=False)
    # The model was asked to mend more than keeps people from accepting the draft, which is what they are told.
    choices = choices_of(context.control, context.organisation_id)
    found = lint_draft(held.resource, answer.draft, held.name, choices, strict=False)
    findings = json.dumps([finding.told() for finding in found[:20]])
    _update(
        context,
        tenants,
        {"draft": text},
        {
            "findings": findings if len(findings) <= GENERATION.c.findings.type.length else "[]",
            "instruction": INSTRUCTIONS[held.resource].version,
            "drafted_at": now(),
        },
    )
    context.complete_effect("draft", context.subject_id)
    context.progress(STEPS, STEPS, "drafted")


def _store_answer(context: JobContext, tenants: Tenants, held: Held, answer: DraftAnswer, turn: int) -> None:
    """Store the answer of a turn. Safe to repeat, so the tokens are sums made here."""
    _update(
        context,
        tenants,
        {"answer": _better(held, answer)},
        {
            "turns": turn,
            "model": answer.model[:80],
            "input_tokens": held.input_tokens + answer.input_tokens,
            "output_tokens": held.output_tokens + answer.output_tokens,
        },
    )


def _update(context: JobContext, tenants: Tenants, sealed: dict[str, str], plain: dict[str, Any]) -> None:
    """Write to the row unless a later attempt has: the attempt is the fence where the lease can't reach."""
    row = context.subject_id
    with tenants.session(context.organisation_id) as tenant:
        values = {column: tenant.sealer.seal(text, TABLE, column, row) for column, text in sealed.items()}
        changed = tenant.connection().execute(
            update(GENERATION)
            .where(GENERATION.c.id == row, GENERATION.c.fence <= context.job.attempt)
            .values(**values, **plain, fence=context.job.attempt)
        )
        if changed.rowcount != 1:
            raise LeaseLost


def _read_row(context: JobContext, tenants: Tenants) -> Held:
    with tenants.read(context.organisation_id) as tenant:
        row = tenant.connection().execute(select(GENERATION).where(GENERATION.c.id == context.subject_id)).first()
        if row is None:
            raise Permanent("purpose_gone")

        def opened(column: str) -> str | None:
            sealed = getattr(row, column)
            return None if sealed is None else tenant.sealer.open(sealed, TABLE, column, row.id)

        return Held(
            row.resource,
            opened("name") or "",
            opened("purpose"),
            opened("answer"),
            row.turns,
            row.input_tokens,
            row.output_tokens,
            row.draft is not None,
        )
