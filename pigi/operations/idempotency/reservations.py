"""Idempotency keys: a request that is repeated with its key gets the answer of the first, and acts once.

After draft-ietf-httpapi-idempotency-key-header. A key goes through reserve, act, decide:

- `reserve` inserts the row, undecided, in a transaction of its own, so that whoever comes next sees it;
- the caller acts, and `Reservation.decide` writes the answer in the transaction of the act itself, so that
  there is never an act without its answer or an answer without its act;
- a refused act calls `Reservation.release`, and the key is as if never used.

Whoever finds an undecided key waits for its owner. An owner that died leaves a row that may be taken over
after `ABANDONED`; should it wake after all, its decision finds another token and its act rolls back.

Keys and bodies are stored as keyed digests only. Keys are scoped to their caller and count for `KEPT`.
"""

from __future__ import annotations

import time
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
    from pigi.application import Application
    from pigi.store.sessions import ControlSession

KEPT = keep(Retention.IDEMPOTENCY)
ABANDONED = timedelta(seconds=60)
"""Age at which an undecided reservation counts as its owner's death; far above what a request may take."""
PATIENCE = timedelta(seconds=5)
"""How long a repeat waits for the first to be decided."""
POLL_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Waits between looks: short at first, since most acts take milliseconds; the last one repeats."""

TABLE: Any = IdempotencyKey.__table__
_OWN = (TABLE.c.caller == bindparam("of")) & (TABLE.c.key_hash == bindparam("hash"))
_UNDECIDED = TABLE.c.status.is_(None)
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
_TAKE_OVER = (
    update(TABLE)
    .where(_OWN, TABLE.c.token == bindparam("theirs"), _STALE)
    .values(
        token=bindparam("mine"),
        body_hash=bindparam("body"),
        created_at=database_now(bindparam("zero", 0)),
        status=None,
        location=None,
        answer=None,
    )
)
_DECIDE = (
    update(TABLE)
    .where(_OWN, TABLE.c.token == bindparam("mine"), _UNDECIDED)
    .values(status=bindparam("code"), location=bindparam("place"), answer=bindparam("text"))
)
_RELEASE = delete(TABLE).where(_OWN, TABLE.c.token == bindparam("mine"), _UNDECIDED)


@dataclass(frozen=True)
class StoredResponse:
    """What the first request was answered: status, Location and body. Holds no content."""

    status: int
    location: str
    body: str


@dataclass(frozen=True)
class Reservation:
    """The right to act for a key."""

    application: Application
    caller: str
    key_hash: str
    token: str

    def decide(self, session: ControlSession, answer: StoredResponse) -> None:
        """Write the answer, in the transaction of the act.

        Raises Refused ``idempotency_undecided`` if the key was taken over meanwhile: the act must roll back.
        """
        values = {"code": answer.status, "place": answer.location, "text": answer.body}
        decided: Any = session.connection().execute(_DECIDE, {**self._row(), **values})
        if decided.rowcount != 1:
            raise Refused("idempotency_undecided")

    def release(self) -> None:
        """Forget the key, unless it is decided or no longer ours."""
        with self.application.control.autocommit() as connection:
            connection.execute(_RELEASE, self._row())

    def _row(self) -> dict[str, str]:
        return {"of": self.caller, "hash": self.key_hash, "mine": self.token}


def reserve(application: Application, asker: str, key: str, request: bytes) -> Reservation | StoredResponse:
    """The right to act for ``asker``'s ``key``, or the answer that an equal request got before.

    ``request`` is all that makes requests equal: method, path and body.

    Raises Refused:
        ``idempotency_key_reused``: the key came with another request within `KEPT`.
        ``idempotency_undecided``: the first request was still undecided after `PATIENCE`.
    """
    digest = application.keyring.digest
    wanted = {"of": asker, "hash": digest("idempotency key", key.encode()), "body": digest("request", request)}
    mine = Reservation(application, wanted["of"], wanted["hash"], new_id())
    give_up = time.monotonic() + PATIENCE.total_seconds()
    looks = 0
    while True:
        found = _try(application, wanted, mine.token)
        if found is not None:
            return mine if found is _MINE else found
        pause = POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)]
        if time.monotonic() + pause > give_up:
            raise Refused("idempotency_undecided")
        time.sleep(pause)
        looks += 1


_MINE = StoredResponse(0, "", "")


def _try(application: Application, wanted: dict[str, str], token: str) -> StoredResponse | None:
    """`_MINE` if the key is ours now, the answer if it is decided, None if somebody else is about to decide."""
    with application.control.autocommit() as connection:
        row = connection.execute(_FIND, {**wanted, **_AGES}).first()
        if row is None:
            try:
                connection.execute(_INSERT, {**wanted, "mine": token})
            except IntegrityError:
                return None
            return _MINE
        if row.stale:
            claim = {**wanted, **_AGES, "mine": token, "theirs": row.token}
            taken: Any = connection.execute(_TAKE_OVER, claim)
            return _MINE if taken.rowcount == 1 else None
    if row.body_hash != wanted["body"]:
        raise Refused("idempotency_key_reused")
    return None if row.status is None else StoredResponse(row.status, row.location or "", row.answer or "")
