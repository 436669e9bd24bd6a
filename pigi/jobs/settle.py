"""Letting go of a job: finished, to be retried, or handed back. Each carries the token, or changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs import moves
from pigi.jobs.effects import SETTLE_OPEN
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.lanes import Ring, let_in

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Executable

    from pigi.domain.job_state import JobState
    from pigi.jobs.claim import Claim
    from pigi.store.sessions import ControlDatabase


def finish(
    control: ControlDatabase, held: Claim, state: JobState, reason: str | None, close_at: datetime | None
) -> list[Ring]:
    """End the job, if it is still ours; returns the bells to ring for the lane's next.

    ``close_at`` is when what the job was about is (next) to be put away; None when nothing is owed.
    """
    parameters = {**held.mine, "reason": reason, "close_at": close_at}
    with control.transaction() as connection:
        if connection.execute(moves.FINISH[state], parameters).rowcount != 1:
            return []
        if CATALOGUE[held.kind].effects:
            connection.execute(SETTLE_OPEN, {"of_job": held.job_id})
        return let_in(connection, held.lane, held.queue)


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
