"""Idempotency keys: a request that is repeated with its key gets the answer of the first, and acts once.

After draft-ietf-httpapi-idempotency-key-header. A key goes through reserve, act, decide:

- `reserve` inserts the row, undecided, in a transaction of its own, so that whoever comes next sees it;
- the caller acts, and `Reservation.decide` writes the answer in the transaction of the act itself, so that
  there is never an act without its answer or an answer without its act;
- a refused act calls `Reservation.release`, and the key is as if never used.

While somebody acts, `ReservationHeartbeat` renews their row. An owner that died leaves one that may be taken over
after `ABANDONED`; should it wake after all, its decision finds another token and its act rolls back.

Keys and bodies are stored as keyed digests only, a row for each key of the keyring. So processes whose keyrings
share a key meet in a row, and while keys are rotated a key still acts once. Keys are scoped to their caller and
count for `KEPT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.store.control import IdempotencyKey
from pigi.store.instants import database_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

KEPT = keep(Retention.IDEMPOTENCY)
ABANDONED = timedelta(seconds=10)
"""Age at which an undecided reservation counts as its owner's death; far above what a heartbeat may take."""

TABLE: Any = IdempotencyKey.__table__
_OWN = (TABLE.c.caller == bindparam("of")) & TABLE.c.key_hash.in_(bindparam("hashes", expanding=True))
_UNDECIDED = TABLE.c.status.is_(None)
_MINE = _OWN & (TABLE.c.token == bindparam("mine")) & _UNDECIDED
_EXPIRED = TABLE.c.created_at < database_now(bindparam("kept"))
_STALE = _EXPIRED | (_UNDECIDED & (TABLE.c.created_at < database_now(bindparam("abandoned"))))
_AGES = {"kept": -KEPT.total_seconds(), "abandoned": -ABANDONED.total_seconds()}

_INSERT = insert(TABLE).values(
    caller=bindparam("of"),
    key_hash=bindparam("hash"),
    body_hash=bindparam("body"),
    token=bindparam("mine"),
    created_at=database_now(bindparam("zero", 0)),
)
_FIND = select(TABLE, _STALE.label("stale")).where(_OWN)
_REMOVE_STALE = delete(TABLE).where(_OWN, _STALE)
_DECIDE = (
    update(TABLE).where(_MINE).values(status=bindparam("code"), location=bindparam("place"), answer=bindparam("text"))
)
_RENEW = update(TABLE).where(_MINE).values(created_at=database_now(bindparam("zero", 0)))
_RELEASE = delete(TABLE).where(_MINE)


@dataclass(frozen=True)
class StoredResponse:
    """What the first request was answered: status, Location and body. Holds no content."""

    status: int
    location: str
    body: str


@dataclass(frozen=True)
class Reservation:
    """The right to act for a key. ``hashes`` are the key's digests, under each key of the keyring."""

    application: Application
    caller: str
    hashes: tuple[str, ...]
    token: str

    def decide(self, session: ControlSession, answer: StoredResponse) -> None:
        """Write the answer, in the transaction of the act.

        Raises Refused ``idempotency_undecided`` if the key was taken over meanwhile: the act must roll back.
        """
        values = {"code": answer.status, "place": answer.location, "text": answer.body}
        decided: Any = session.connection().execute(_DECIDE, {**self._row(), **values})
        if decided.rowcount != len(self.hashes):
            raise Refused("idempotency_undecided")

    def renew(self) -> None:
        """Show that whoever acts is alive, unless the key is decided or no longer ours."""
        with self.application.control.autocommit() as connection:
            connection.execute(_RENEW, self._row())

    def release(self) -> None:
        """Forget the key, unless it is decided or no longer ours."""
        with self.application.control.autocommit() as connection:
            connection.execute(_RELEASE, self._row())

    def _row(self) -> dict[str, Any]:
        return {"of": self.caller, "hashes": self.hashes, "mine": self.token}


def reserve(application: Application, requester: str, key: str, request: bytes) -> Reservation | StoredResponse | None:
    """The right to act for ``requester``'s ``key``, or the answer that an equal request got before.

    None means that an equal request is still undecided. ``request`` is all that makes requests equal: method,
    path and body. Never waits.

    Raises Refused: ``idempotency_key_reused``, if the key came with another request within `KEPT`.
    """
    digests = application.keyring.digests
    bodies = dict(zip(digests("idempotency key", key.encode()), digests("request", request), strict=True))
    hashes = tuple(bodies)
    with application.control.autocommit() as connection:
        rows = connection.execute(_FIND, {"of": requester, "hashes": hashes, **_AGES}).all()
    row = next((row for row in rows if not row.stale), None)
    if row is None:
        mine = Reservation(application, requester, hashes, new_id())
        return mine if _insert(mine, bodies, stale=bool(rows)) else None
    if row.body_hash != bodies[row.key_hash]:
        raise Refused("idempotency_key_reused")
    return None if row.status is None else StoredResponse(row.status, row.location or "", row.answer or "")


def _insert(mine: Reservation, bodies: Mapping[str, str], *, stale: bool) -> bool:
    """Whether the key is ours now. Rows go in by their order, or two keyrings could wait for each other."""
    control = mine.application.control
    own = {"of": mine.caller, "mine": mine.token}
    one = len(bodies) == 1 and not stale
    try:
        with control.autocommit() if one else control.transaction() as connection:
            if stale and not connection.execute(_REMOVE_STALE, {**own, "hashes": mine.hashes, **_AGES}).rowcount:
                return False
            for key_hash, body_hash in sorted(bodies.items()):
                connection.execute(_INSERT, {**own, "hash": key_hash, "body": body_hash})
    except IntegrityError:
        return False
    return True
