"""The ledger of effects: what a job did to the world, each once by its key.

An effect is recorded as intended before the act and as done after it. A crash in between leaves it
intended, and its policy (`pigi.jobs.kind.Delivery`) says what the next attempt does. Beginning an effect is
refused to a worker that lost its lease, to a cancelled job, to a fenced organisation and where whoever asked
stopped this use of their data, in the same transaction that records the intent. What was had may be recorded
until another attempt has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from pigi.jobs.kind import Delivery
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model import transitions
from pigi.jobs.model.claim import Cancelled, Fenced, LeaseLost, Restricted
from pigi.jobs.model.transitions import JOB, NOW
from pigi.jobs.model.view import EffectView
from pigi.store.control import Effect
from pigi.store.engines import insert_into
from pigi.store.processing import stopped

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.jobs.model.claim import Claim
    from pigi.store.sessions import ControlDatabase

EFFECT: Any = Effect.__table__


@dataclass(frozen=True)
class Begun:
    """Where an effect stands when it is (again) begun: ``tries`` counts this time too."""

    state: str
    tries: int
    reference: str | None

    @property
    def settled(self) -> bool:
        """Whether it must not be done (again)."""
        return self.state != "intended"


_MAY_BEGIN = (
    update(JOB)
    .where(
        transitions.MINE,
        transitions.IS_RUNNING,
        JOB.c.lease_until > NOW,
        JOB.c.cancel_requested_at.is_(None),
        transitions.UNFENCED,
    )
    .values(revision=JOB.c.revision + 1)
)
_NOT_TAKEN_OVER = update(JOB).where(transitions.MINE).values(revision=JOB.c.revision + 1)
"""Holds also when the lease's time has passed and when the job was taken back, even ended: as long as no other worker
claimed it, none can have begun the effect again, and what this one did is worth knowing."""
_WHY_NOT = select(JOB.c.cancel_requested_at.is_not(None), ~transitions.UNFENCED).where(
    transitions.MINE, transitions.IS_RUNNING
)
_THIS = (EFFECT.c.job_id == bindparam("of_job")) & (EFFECT.c.key == bindparam("of_key"))
_READ = select(EFFECT.c.state, EFFECT.c.tries, EFFECT.c.reference).where(_THIS)


def policy_of(kind: str, key: str) -> Delivery:
    """How the catalogue says that this effect is kept single; raises KeyError for an undeclared one."""
    return CATALOGUE[kind].effects[key.split(":", 1)[0]]


@dataclass
class Call:
    """One beginning of an effect, however often it is written: ``tries`` as of the first time, None before that.

    Nobody else counts under this claim, so when it is written again, the count says the same and not one more.
    """

    tries: int | None = None


def begin(control: ControlDatabase, held: Claim, key: str, call: Call | None = None) -> Begun:
    """Record that the effect is about to be had. Safe to repeat with the same ``call``: that counts once.

    Raises:
        LeaseLost, Cancelled, Fenced, Restricted: it must not be had.
        KeyError: the kind declares no such effect.
    """
    policy = policy_of(held.kind, key)
    with control.transaction() as connection:
        if connection.execute(_MAY_BEGIN, held.mine).rowcount != 1:
            raise _reason_to_stop(connection, held)
        refuse_stopped(connection, held)
        effect = _insert_or_count(connection, held, key, policy, call or Call())
        if policy is Delivery.AT_MOST and effect.tries > 1 and not effect.settled:
            connection.execute(
                update(EFFECT).where(_THIS).values(state="unknown", settled_at=NOW),
                _key(held, key),
            )
            return Begun("unknown", effect.tries, None)
    return effect


def refuse_stopped(connection: Connection, held: Claim) -> None:
    """Raise Restricted if whoever requested the job stopped this use of their data."""
    code = stopped(connection, held.requested_by, CATALOGUE[held.kind].use)
    if code is not None:
        raise Restricted(code)


def _insert_or_count(connection: Connection, held: Claim, key: str, policy: Delivery, call: Call) -> Begun:
    statement = insert_into(connection, EFFECT).values(
        job_id=held.job_id, key=key, state="intended", policy=policy.value, tries=1, intended_at=NOW
    )
    counted = statement.on_conflict_do_update(
        index_elements=[EFFECT.c.job_id, EFFECT.c.key],
        set_={"tries": EFFECT.c.tries + 1 if call.tries is None else call.tries},
        where=EFFECT.c.state == "intended",
    ).returning(EFFECT.c.state, EFFECT.c.tries, EFFECT.c.reference)
    row = connection.execute(counted).first()
    if row is None:
        row = connection.execute(_READ, _key(held, key)).one()
    call.tries = row[1]
    return Begun(row[0], row[1], row[2])


def complete(control: ControlDatabase, held: Claim, key: str, reference: str | None) -> None:
    """Record that the effect was had, with the provider's reference.

    Raises LeaseLost if another attempt has begun. That the lease has lapsed meanwhile is no reason.
    """
    with control.transaction() as connection:
        if connection.execute(_NOT_TAKEN_OVER, held.mine).rowcount != 1:
            raise LeaseLost
        connection.execute(
            update(EFFECT).where(_THIS).values(state="done", reference=reference, settled_at=NOW),
            _key(held, key),
        )


def confirm(control: ControlDatabase, held: Claim, key: str) -> None:
    """Record that an effect was had whose outcome is stored: an attempt died between storing and completing."""
    with control.transaction() as connection:
        if connection.execute(_NOT_TAKEN_OVER, held.mine).rowcount != 1:
            raise LeaseLost
        connection.execute(
            update(EFFECT).where(_THIS, EFFECT.c.state == "intended").values(state="done", settled_at=NOW),
            _key(held, key),
        )


def withdraw(control: ControlDatabase, held: Claim, key: str, tries: int) -> None:
    """Take back an intent that certainly led to nothing; one that was begun before stays.

    ``tries`` is what `begin` said. Safe to repeat: whoever is gone, or counts less, was taken back.
    """
    this = _THIS & (EFFECT.c.state == "intended") & (EFFECT.c.tries == tries)
    act = delete(EFFECT).where(this) if tries == 1 else update(EFFECT).where(this).values(tries=tries - 1)
    with control.transaction() as connection:
        if connection.execute(_NOT_TAKEN_OVER, held.mine).rowcount == 1:
            connection.execute(act, _key(held, key))


def _key(held: Claim, key: str) -> dict[str, str]:
    return {"of_job": held.job_id, "of_key": key}


MARK_UNKNOWN = (
    update(EFFECT)
    .where(EFFECT.c.job_id == bindparam("of_job"), EFFECT.c.state == "intended")
    .values(state="unknown", settled_at=NOW)
)
"""When a job ends: what was intended and never confirmed is unknown, and says so."""

MARK_ALL_UNKNOWN = update(EFFECT).where(EFFECT.c.state == "intended").values(state="unknown", settled_at=NOW)
"""When all jobs end together."""

REOPEN = (
    update(EFFECT)
    .where(
        EFFECT.c.job_id == bindparam("of_job"),
        EFFECT.c.state == "unknown",
        EFFECT.c.policy != Delivery.AT_MOST.value,
    )
    .values(state="intended", settled_at=None)
)
"""When a job is done again by hand: what may be repeated, or is looked at first, is as open as after a crash."""


def _reason_to_stop(connection: Connection, held: Claim) -> Exception:
    row = connection.execute(_WHY_NOT, held.mine).first()
    if row is None:
        return LeaseLost()
    return Cancelled() if row[0] else Fenced() if row[1] else LeaseLost()


def effects_of(connection: Connection, job_id: str) -> list[EffectView]:
    """The effects of a job, in the order in which they were begun."""
    rows = connection.execute(
        select(
            EFFECT.c.key,
            EFFECT.c.state,
            EFFECT.c.policy,
            EFFECT.c.tries,
            EFFECT.c.reference,
            EFFECT.c.intended_at,
            EFFECT.c.settled_at,
        )
        .where(EFFECT.c.job_id == job_id)
        .order_by(EFFECT.c.intended_at, EFFECT.c.key)
    )
    return [EffectView(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it
