"""Throttling of guesses: token buckets that all processes share, refunded for a try that was right.

A try is acquired before it is made, since many at once would otherwise all find the bucket full. Keys are keyed
hashes: the table names neither accounts nor networks. The rules are in `pigi.domain.throttles`.

What is refused costs next to nothing, however often it comes: a look into what this process has just refused, or else
one read by the primary key. Nothing is written, and no lock and no place taken, before a try is seen to fit.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pigi.clock import now
from pigi.domain.throttles import Bucket, ThrottlePolicy, widest_network
from pigi.errors import Refused
from pigi.operations.credentials.passwords import hashing_slot
from pigi.store.engines import is_sqlite
from pigi.store.ledgers import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pigi.application import Application

    Keys = list[tuple[Bucket, str]]

THROTTLE: Any = Throttle.__table__
LEAST_WAIT = 0.001
"""Seconds: whatever was refused waits, also where rounding says that it need not."""
_OWN = THROTTLE.c.key == bindparam("of")


def _number(name: str) -> Any:
    return bindparam(name, type_=Float(53))


def _taking(insert: Any) -> Any:
    """`Bucket.after_try` as one statement; no row comes back from an empty bucket."""
    since = case((THROTTLE.c.full_at > _number("moment"), THROTTLE.c.full_at), else_=_number("moment"))
    after = since + _number("every")
    return (
        insert(THROTTLE)
        .values(key=bindparam("of"), full_at=_number("first"))
        .on_conflict_do_update(index_elements=[THROTTLE.c.key], set_={"full_at": after}, where=after <= _number("most"))
        .returning(THROTTLE.c.full_at)
    )


_TAKE = {True: _taking(sqlite.insert), False: _taking(postgresql.insert)}
_LOOK: Any = select(THROTTLE.c.key, THROTTLE.c.full_at).where(THROTTLE.c.key.in_(bindparam("of", expanding=True)))
_FULL_AT: Any = select(THROTTLE.c.full_at).where(_OWN)
_GIVE_BACK = update(THROTTLE).where(_OWN).values(full_at=THROTTLE.c.full_at - _number("unused"))


@dataclass(frozen=True)
class Try:
    """An acquired try; it counts as a failure unless it is refunded."""

    application: Application
    at: float
    taken: list[tuple[Bucket, str]] = field(default_factory=list)

    def refund(self) -> None:
        """Put the tries back: it was right. What counts work, and not failures, is spent all the same."""
        moment = now().timestamp()
        with self.application.control.autocommit() as connection:
            for bucket, key in self.taken:
                connection.execute(_GIVE_BACK, {"of": key, "unused": bucket.unused(self.at, moment)})
        self.application.refusals.forget(key for _bucket, key in self.taken)


def acquire(application: Application, policy: ThrottlePolicy, network: str = "", subject: str = "") -> Try:
    """Acquire a try from every bucket of ``policy``, or from none.

    ``subject`` is what is tried: an account's or an address's key, known to Pigi or not.

    Raises Refused: ``too_many_tries``, with the seconds until one more would fit.
    """
    check(application, policy, network, subject)
    return _acquire(application, policy, network, subject)


@contextmanager
def hashing(application: Application, policy: ThrottlePolicy, network: str, subject: str = "") -> Iterator[Try]:
    """`acquire`, with room to hash for the block: refused before there is room, and acquired within it.

    Raises Refused: ``too_many_tries``; ``unavailable`` if there is no room, within the block too, which costs no try.
    """
    check(application, policy, network, subject)
    with hashing_slot(network):
        tried = _acquire(application, policy, network, subject)
        try:
            yield tried
        except Refused as refusal:
            if refusal.code == "unavailable":
                tried.refund()
            raise


def check(application: Application, policy: ThrottlePolicy, network: str = "", subject: str = "") -> None:
    """Refuse what `acquire` would, as far as one look tells, without a trace. Raises Refused ``too_many_tries``."""
    moment = now().timestamp()
    single = [(bucket, _key(application, bucket, *of)) for bucket, of in _buckets(policy, network, subject)]
    if (known := max((application.refusals.until(key, moment) for _, key in single), default=0.0)) > moment:
        raise _too_many(known - moment)
    total, attacked = _attack_keys(application, policy, network, subject)
    with application.control.autocommit() as connection:
        rows = connection.execute(_LOOK, {"of": [key for _, key in (*single, *total, *attacked)]}).all()
    full_at = {row.key: row.full_at for row in rows}
    own = {key: bucket.wait(full_at.get(key, 0.0), moment) for bucket, key in single}
    waits = own
    if any(bucket.wait(full_at.get(key, 0.0), moment) for bucket, key in total):
        waits = own | {key: bucket.wait(full_at.get(key, 0.0), moment) for bucket, key in attacked}
    if any(waits.values()):
        for key, wait in waits.items():
            # One of an attack refuses only while there is one.
            if wait and key in own:
                application.refusals.note(key, moment, moment + wait)
        raise _too_many(max(waits.values()))


def _acquire(application: Application, policy: ThrottlePolicy, network: str, subject: str) -> Try:
    moment = now().timestamp()
    made = Try(application, moment)
    with application.control.transaction() as connection:
        waits = [
            _take(connection, made, bucket, _key(application, bucket, *of), moment)
            for bucket, of in _buckets(policy, network, subject)
        ]
        total, attacked = _attack_keys(application, policy, network, subject)
        if any(_take(connection, made, bucket, key, moment) for bucket, key in total):
            waits += [_take(connection, made, bucket, key, moment) for bucket, key in attacked]
        if any(waits):
            # Leaving the block so undoes what the other buckets gave.
            raise _too_many(max(waits))
    made.taken[:] = [(bucket, key) for bucket, key in made.taken if bucket is not policy.work]
    return made


def _too_many(wait: float) -> Refused:
    return Refused("too_many_tries", retry_after=max(1, math.ceil(wait)))


def try_acquire(application: Application, policy: ThrottlePolicy, network: str = "", subject: str = "") -> bool:
    """As `acquire`, but False instead of a refusal, for what is left undone without a word."""
    try:
        acquire(application, policy, network, subject)
    except Refused:
        return False
    return True


def reset_throttles(application: Application, policy: ThrottlePolicy, network: str, subject: str) -> None:
    """Empty the record of failures at ``subject``, where it goes by networks of this one's alone.

    Who is there has shown otherwise who they are.
    """
    kept: tuple[tuple[Bucket | None, tuple[str, ...]], ...] = (
        (policy.subject, (subject,)),
        (policy.pair, (subject, network)),
        (policy.under_attack, (subject, widest_network(network))),
    )
    keys = [_key(application, bucket, *of) for bucket, of in kept if bucket is not None]
    application.refusals.forget(keys)
    with application.control.autocommit() as connection:
        connection.execute(delete(THROTTLE).where(THROTTLE.c.key.in_(keys)))


def _buckets(policy: ThrottlePolicy, network: str, subject: str) -> list[tuple[Bucket, tuple[str, ...]]]:
    """In an order that all requests share, or two of them could wait for each other's rows."""
    found = (
        (policy.subject, (subject,)),
        (policy.pair, (subject, network)),
        (policy.network, (network,)),
        (policy.work, (widest_network(network),)),
    )
    return [(bucket, of) for bucket, of in found if bucket is not None]


def _attack_keys(application: Application, policy: ThrottlePolicy, network: str, subject: str) -> tuple[Keys, Keys]:
    """The bucket of all networks together, and the one that counts besides while that is empty; none, or one each."""
    if policy.subject_total is None or policy.under_attack is None:
        return [], []
    total = _key(application, policy.subject_total, subject)
    attacked = _key(application, policy.under_attack, subject, widest_network(network))
    return [(policy.subject_total, total)], [(policy.under_attack, attacked)]


def _key(application: Application, bucket: Bucket, *of: str) -> str:
    return application.keyring.digest(f"throttle {bucket.name}", "\0".join(of).encode())


def _take(connection: Connection, made: Try, bucket: Bucket, key: str, moment: float) -> float:
    """Take one from a bucket; the seconds to wait if it has none, else 0."""
    parameters = {
        "of": key, "moment": moment, "every": bucket.every, "first": moment + bucket.every, "most": moment + bucket.room
    }  # fmt: skip
    full_at = connection.execute(_TAKE[is_sqlite(connection)], parameters).scalar()
    if full_at is not None:
        made.taken.append((bucket, key))
        return 0.0
    found: float = connection.execute(_FULL_AT, {"of": key}).scalar_one()
    return max(bucket.wait(found, moment), LEAST_WAIT)
