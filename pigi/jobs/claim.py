"""Claiming: one conditional UPDATE by the database's clock. Whoever's UPDATE hits has the job."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.jobs import moves
from pigi.jobs.moves import JOB
from pigi.store.engines import is_sqlite

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlDatabase

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 4.0


@dataclass(frozen=True)
class Claim:
    """A job held by this worker until its lease ends. ``token`` goes with every write."""

    job_id: str
    kind: str
    queue: str
    lane: str
    organisation_id: str | None
    subject_id: str | None
    attempt: int
    failures: int
    deadline_at: datetime
    token: str

    @property
    def mine(self) -> dict[str, str]:
        """The parameters of `moves.MINE`."""
        return {"job_id": self.job_id, "token": self.token}


def claim(control: ControlDatabase, kind: Kind, job_id: str, token: str | None = None) -> Claim | None:
    """Take the job if it waits, is due, is not cancelled and not fenced; None otherwise.

    Asking again with the same ``token`` is safe: a claim whose answer was lost on the way is found again.
    """
    parameters = {"job_id": job_id, **_claiming(kind, token)}
    with control.quick() as connection:
        row = connection.execute(moves.CLAIM, parameters).first()
        if row is None and token is not None:
            row = connection.execute(_HELD, {"job_id": job_id, "token": token}).first()
    return Claim(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for it


def claim_next(connection: Connection, kind: Kind) -> Claim | None:
    """Take the job of ``kind`` whose bell was rung first, if one waits; its own bell will find it taken."""
    statement = _NEXT[is_sqlite(connection)]
    row = connection.execute(statement, {"of_kind": kind.name, **_claiming(kind)}).first()
    return Claim(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for it


_NEXT = {sqlite: moves.claim_next(skip_locked=not sqlite) for sqlite in (True, False)}


def _claiming(kind: Kind, token: str | None = None) -> dict[str, object]:
    return {
        "token": token or uuid.uuid4().hex,
        "lease": LEASE_SECONDS,
        "patience": kind.patience.total_seconds(),
    }


_HELD = select(*moves.HELD).where(moves.MINE, moves.IS_RUNNING)


@dataclass(frozen=True)
class Unclaimed:
    """Why a job could not be claimed: where it stands, and what is owed."""

    state: str
    organisation_id: str | None
    subject_id: str | None
    cancelled: bool
    fenced: bool
    close_due: bool


_WHY = select(
    JOB.c.state,
    JOB.c.organisation_id,
    JOB.c.subject_id,
    JOB.c.cancel_requested_at.is_not(None),
    ~moves.UNFENCED,
    JOB.c.close_at <= moves.NOW,
).where(moves.ID)


def why_not(connection: Connection, job_id: str) -> Unclaimed | None:
    """What stood in the way of a claim; None if there is no such job."""
    row = connection.execute(_WHY, {"job_id": job_id}).first()
    return Unclaimed(row[0], row[1], row[2], bool(row[3]), bool(row[4]), bool(row[5])) if row else None


def extend(connection: Connection, held: Claim) -> tuple[bool, bool]:
    """Send a heartbeat. Returns whether the lease still holds, and whether a cancel was asked."""
    row = connection.execute(moves.EXTEND, {**held.mine, "lease": LEASE_SECONDS}).first()
    return (False, False) if row is None else (True, row[0] is not None)
