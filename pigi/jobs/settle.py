"""Letting go of a job: finished, to be retried, or handed back. Each carries the token, or changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pigi.jobs import moves
from pigi.jobs.claim import claim_next
from pigi.jobs.effects import SETTLE_OPEN
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.lanes import Ring, let_in

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Executable

    from pigi.domain.job_state import JobState
    from pigi.jobs.claim import Claim
    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlDatabase


def finish(
    control: ControlDatabase, held: Claim, state: JobState, reason: str | None, close_at: datetime | None
) -> list[Ring]:
    """End the job, if it is still ours; returns the bells to ring for the lane's next.

    ``close_at`` is when what the job was about is (next) to be put away; None when nothing is owed.
    """
    return finish_and_claim(control, held, Ending(state, reason, close_at), None)[0]


@dataclass(frozen=True)
class Ending:
    """How a job ends; see `finish`."""

    state: JobState
    reason: str | None
    close_at: datetime | None


def finish_and_claim(
    control: ControlDatabase, held: Claim, ending: Ending, following: Kind | None
) -> tuple[list[Ring], Claim | None]:
    """As `finish`, and in the same transaction take the next job of kind ``following``: one commit, not two."""
    parameters = {**held.mine, "reason": ending.reason, "close_at": ending.close_at}
    with control.transaction() as connection:
        if connection.execute(moves.FINISH[ending.state], parameters).rowcount != 1:
            return [], None
        if CATALOGUE[held.kind].effects:
            connection.execute(SETTLE_OPEN, {"of_job": held.job_id})
        rings = let_in(connection, held.lane, held.queue)
        taken = None if following is None else claim_next(connection, following)
    return [ring for ring in rings if taken is None or ring.job_id != taken.job_id], taken


def retry(control: ControlDatabase, held: Claim, reason: str, delay: timedelta) -> list[Ring]:
    """Have the job tried again after ``delay``."""
    return _let_go(control, held, moves.RETRY, {"reason": reason, "delay": delay.total_seconds()})


def hand_back(control: ControlDatabase, held: Claim) -> list[Ring]:
    """Return the job for another worker to take at once; counts neither as failure nor as loss."""
    return _let_go(control, held, moves.HAND_BACK, {})


def _let_go(control: ControlDatabase, held: Claim, statement: Executable, parameters: dict[str, object]) -> list[Ring]:
    with control.transaction() as connection:
        if connection.execute(statement, {**held.mine, **parameters}).rowcount != 1:
            return []
        return let_in(connection, held.lane, held.queue)
