"""Counting effects where they land: at the stand-in, in the tenant databases, in the control database."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.jobs.model.transitions import JOB
from pigi.operations.generations import GENERATION
from pigi.operations.generations.generations import LIVE_TEXT
from standins.anthropic.drafts import read_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pigi.jobs.model.view import EffectView, JobView
    from standins.anthropic.server import Request
    from tests.support.stack import Model, Stack


def asked_of(request: Request) -> tuple[str, str]:
    """The name and the purpose that a request holds."""
    return read_request(json.loads(request.body)["messages"][0]["content"])


def requests_by_name(model: Model) -> Counter[str]:
    """How many requests came for each name."""
    return Counter(asked_of(request)[0] for request in list(model.requests))


@dataclass(frozen=True)
class Stored:
    """What a generation's row holds."""

    name: str
    purpose: bool
    answer: bool
    draft: bool
    pieces: int


def stored_of(stack: Stack, view: JobView) -> Stored | None:
    """The row of the job's generation; None if there is none."""
    assert view.organisation_id is not None
    with stack.application.tenants.read(view.organisation_id) as tenant:
        row = tenant.connection().execute(select(GENERATION).where(GENERATION.c.job_id == view.id)).first()
        if row is None:
            return None
        pieces = tenant.connection().execute(select(LIVE_TEXT).where(LIVE_TEXT.c.generation_id == row.id)).all()
        name = tenant.sealer.open(row.name, "generation", "name", row.id)
    return Stored(name, row.purpose is not None, row.answer is not None, row.draft is not None, len(pieces))


def drafts_in(stack: Stack, organisation_id: str) -> list[str]:
    """The jobs that a draft is stored for."""
    with stack.application.tenants.read(organisation_id) as tenant:
        found = select(GENERATION.c.job_id).where(GENERATION.c.draft.is_not(None))
        return list(tenant.connection().execute(found).scalars())


def jobs_in(stack: Stack, organisation_id: str) -> int:
    """How many jobs of generations the control database has."""
    with stack.application.control.autocommit() as connection:
        found = select(JOB.c.id).where(JOB.c.organisation_id == organisation_id, JOB.c.kind == "generations.draft")
        return len(connection.execute(found).all())


def effects(view: JobView) -> dict[str, EffectView]:
    """The ledger of one job by key."""
    return {effect.key: effect for effect in view.effects}


def check_books(stack: Stack, views: Iterable[JobView], kills: Mapping[str, int] | None = None) -> None:
    """Every job succeeded with one draft and nothing left over; the ledger, the sink and the kills agree."""
    asked = requests_by_name(stack.model)
    given = set(stack.model.references)
    for view in views:
        stored = stored_of(stack, view)
        assert view.state == "succeeded", (view.state, view.reason, view.timeline)
        assert stored is not None
        assert (stored.purpose, stored.answer, stored.draft, stored.pieces) == (False, False, True, 0)
        allowed = 1 + (kills or {}).get(stored.name, 0)
        assert 1 <= asked[stored.name] <= allowed, f"{stored.name}: {asked[stored.name]} requests, {allowed} allowed"
        ledger = effects(view)
        assert set(ledger) == {"model:1", "draft"}
        assert (ledger["draft"].state, ledger["draft"].reference) == ("done", view.subject_id)
        assert ledger["model:1"].state == "done"
        assert ledger["model:1"].tries >= asked[stored.name]
        assert ledger["model:1"].reference in given | {None}
