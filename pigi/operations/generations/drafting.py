"""Live text: what the model writes, shown while it writes. Sealed, throttled, and gone when the job ends."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pigi.clock import now
from pigi.domain.instructions import INSTRUCTIONS
from pigi.domain.resources import UNUSABLE, as_json, json_schema, lint_draft, name_draft, parse_draft
from pigi.errors import Permanent, Temporary
from pigi.jobs.model.claim import LeaseLost
from pigi.operations.generations.generations import GENERATION, LIVE_TEXT, TABLE, seal_piece
from pigi.ports import DraftRequest

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pigi.domain.resources import Finding
    from pigi.jobs.execution.context import JobContext
    from pigi.ports import DraftAnswer, TextModel
    from pigi.store.sessions import TenantSession
    from pigi.store.tenants import Tenants

FLUSH_SECONDS = 0.2
LOOK_SECONDS = 1.0


class LiveWriter:
    """Collects a turn's text and stores it a few times a second; each time is a checkpoint of the job."""

    def __init__(self, context: JobContext, tenants: Tenants, turn: int) -> None:
        self._context = context
        self._tenants = tenants
        self._turn = context.job.attempt * 10 + turn
        self._position = self._last_position()
        self._pending: list[str] = []
        self._flushed_at = self._looked_at = time.monotonic()

    def __call__(self, text: str) -> None:
        """Take a piece; may raise what `JobContext.checkpoint` raises, which closes the stream."""
        self._pending.append(text)
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Store what was collected."""
        self._flushed_at = time.monotonic()
        if self._flushed_at - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._flushed_at
            self._context.look()
        self._context.checkpoint()
        text, self._pending = "".join(self._pending), []
        if text:
            self._keep(text)

    def _keep(self, text: str) -> None:
        try:
            self._store(text)
        except IntegrityError:
            # Another attempt wrote here: ours is lost, or the other's was and it has yet to notice.
            self._context.look()
            self._position = self._last_position()
            self._store(text)

    def _last_position(self) -> int:
        last = select(func.coalesce(func.max(LIVE_TEXT.c.position), 0)).where(
            LIVE_TEXT.c.generation_id == self._context.subject_id
        )
        with self._tenants.session(self._context.organisation_id) as tenant:
            self._fence(tenant)
            return int(tenant.connection().execute(last).scalar_one())

    def _fence(self, tenant: TenantSession) -> None:
        """Raise LeaseLost if a later attempt has the row: its end erases live text, and none may come after it."""
        generation, attempt = GENERATION.c, self._context.job.attempt
        held = generation.id == self._context.subject_id
        later = update(GENERATION).where(held, generation.fence <= attempt).values(fence=attempt)
        if tenant.connection().execute(later).rowcount != 1:
            raise LeaseLost

    def _store(self, text: str) -> None:
        self._position += 1
        generation_id = self._context.subject_id
        with self._tenants.session(self._context.organisation_id) as tenant:
            self._fence(tenant)
            tenant.connection().execute(
                insert(LIVE_TEXT),
                {
                    "generation_id": generation_id,
                    "position": self._position,
                    "turn": self._turn,
                    "text": seal_piece(tenant, generation_id, self._position, text),
                },
            )


TURNS = 2
"""One answer and one repair."""
NOT_HAD = frozenset({"provider_busy", "provider_unreachable", "provider_rejected", "provider_unavailable"})
"""Failures that say for certain that the model did no work."""
STEPS = 3


@dataclass(frozen=True, repr=False)
class Held:
    """What the generation's row holds while the job runs; never shown in a log."""

    resource: str
    name: str
    purpose: str | None
    answer: str | None
    turns: int
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
        answer = model.write_draft(request, live)
        live.flush()
    except (Temporary, Permanent) as error:
        if error.code in NOT_HAD:
            context.withdraw_effect(key)
        raise
    _store_answer(context, tenants, _better(held, answer), answer, turn)
    context.complete_effect(key, answer.request_id or None)


def _begin_call(context: JobContext, turn: int) -> str:
    """The key of a call that was not settled yet: after a retry by hand the first ones were."""
    for number in count(turn):
        if not context.begin_effect(f"model:{number}").settled:
            break
    return f"model:{number}"


def _request(held: Held) -> DraftRequest:
    if held.purpose is None:
        raise Permanent("purpose_gone")
    sentences = () if held.answer is None else tuple(finding.sentence for finding in _read_answer(held).findings)
    return DraftRequest(
        instruction=INSTRUCTIONS[held.resource].text,
        schema=json_schema(held.resource),
        name=held.name,
        purpose=held.purpose,
        previous=held.answer,
        findings=sentences,
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
    findings = json.dumps([asdict(finding) for finding in answer.findings[:20]])
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


def _store_answer(context: JobContext, tenants: Tenants, kept: str, answer: DraftAnswer, turn: int) -> None:
    _update(
        context,
        tenants,
        {"answer": kept},
        {
            "turns": turn,
            "model": answer.model[:80],
            "input_tokens": GENERATION.c.input_tokens + answer.input_tokens,
            "output_tokens": GENERATION.c.output_tokens + answer.output_tokens,
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
            row.resource, opened("name") or "", opened("purpose"), opened("answer"), row.turns, row.draft is not None
        )
