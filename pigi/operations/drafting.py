"""Writing a draft: ask the model, lint, ask once more to repair, keep the better answer with its findings.

Each answer is stored, sealed, before anything is made of it, so an attempt that follows a crash goes on
from there and does not pay twice. Only the name and the purpose leave, under a fixed instruction (P14).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.instructions import INSTRUCTIONS
from pigi.domain.resources import UNUSABLE, as_json, json_schema, lint_draft, name_draft, parse_draft
from pigi.errors import Permanent, Temporary
from pigi.jobs.stops import LeaseLost
from pigi.operations.generations import GENERATION, TABLE
from pigi.operations.live import LiveWriter
from pigi.ports import DraftRequest

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pigi.domain.resources import Finding
    from pigi.jobs.context import JobContext
    from pigi.ports import DraftAnswer, TextModel
    from pigi.store.tenants import Tenants

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
            context.settle_effect("draft", context.subject_id)
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
    context.settle_effect(key, answer.request_id or None)


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
    context.settle_effect("draft", context.subject_id)
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
