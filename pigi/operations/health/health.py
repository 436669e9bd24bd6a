"""Health: alive means that this process answers; ready means that each queue finished something lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.provider_failures import PART as PROVIDER
from pigi.jobs.heartbeats import SILENCE, last_beats, queues_at_work
from pigi.jobs.queues import QUEUES
from pigi.store.deletions import Deletion
from pigi.store.holds import HOLD, IS_ACTIVE

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application

PUMP_AGE = timedelta(seconds=15)
QUEUE_AGE = timedelta(seconds=90)
"""Three periods of the probes' schedule."""

DELETION_AGE = timedelta(days=1)
"""What the grace leaves of an organisation goes within a day (promise P26)."""
_HELD = select(HOLD.c.id).where(HOLD.c.organisation_id == Deletion.subject_id, IS_ACTIVE).exists()
_LATEST_DUE = select(func.min(Deletion.restorable_until)).where(Deletion.state != "done", ~_HELD)


@dataclass(frozen=True)
class Check:
    """One part: whether it is well, and how long ago it last showed it (None: never)."""

    name: str
    ok: bool
    age_seconds: float | None


@dataclass(frozen=True)
class Readiness:
    """All parts. Redis, late deletions and the model's provider are listed but do not decide: requests are answered.

    The provider's check says when it last took a draft or refused Pigi, which some operator must mend.
    """

    ready: bool
    checks: tuple[Check, ...]


def readiness(application: Application) -> Readiness:
    """Whether jobs that are requested now will be done."""
    try:
        with application.control.autocommit() as connection:
            beats = last_beats(connection)
            working = queues_at_work(connection)
            late = connection.execute(_LATEST_DUE).scalar()
            refused = beats.get(PROVIDER, SILENCE).note
    except SQLAlchemyError:
        return Readiness(ready=False, checks=(Check("database", ok=False, age_seconds=None),))
    seen = {name: beat.at for name, beat in beats.items()}
    checks = [Check("database", ok=True, age_seconds=0.0), _check("pump", seen.get("pump"), PUMP_AGE)]
    # A queue all of whose workers are busy lets its probe wait; a lease that is extended shows the same as a probe.
    alive = {**seen, **{f"queue {name}": now() for name in working}}
    checks += [_check(f"queue {name}", alive.get(f"queue {name}"), QUEUE_AGE) for name in QUEUES]
    return Readiness(
        ready=all(check.ok for check in checks),
        checks=(
            *checks,
            Check("redis", ok=application.notifier.answers(), age_seconds=None),
            Check("deletions", ok=late is None or now() - late <= DELETION_AGE, age_seconds=None),
            Check(PROVIDER, ok=refused is None, age_seconds=_age(seen.get(PROVIDER))),
        ),
    )


def _check(name: str, seen: datetime | None, allowed: timedelta) -> Check:
    if seen is None:
        return Check(name, ok=False, age_seconds=None)
    return Check(name, ok=now() - seen <= allowed, age_seconds=_age(seen))


def _age(seen: datetime | None) -> float | None:
    return None if seen is None else round((now() - seen).total_seconds(), 1)
