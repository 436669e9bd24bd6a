"""Sessions of browsers: opened at sign-in, gone at log-out, at most 12 hours idle (P35, P36).

The cookie holds a secret of 256 random bits, of which the hash alone is kept. The CSRF token is derived from
that secret, so it belongs to one session and ends with it.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.retention import Retention, cutoff
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.tokens import is_token, token_hash
from pigi.store.people import Account, Session

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.store.sessions import ControlSession

NOTED_EVERY = timedelta(minutes=1)
"""How often a session's use is written down; a write a request would cost more than it tells."""
OPERATOR = "operator"

SESSION: Any = Session.__table__

_FIND: Any = (
    select(Session.id, Session.account_id, Session.seen_at, Account.kind)
    .join(Account, Account.id == Session.account_id)
    .where(
        Session.token_hash == bindparam("hash"),
        Session.seen_at > bindparam("since"),
        Account.state == "active",
    )
)


def open_session(session: ControlSession, account_id: str) -> tuple[str, str]:
    """A new session for an account, in the caller's transaction: its id, and the secret for the cookie."""
    moment, token, session_id = now(), secrets.token_urlsafe(32), new_id()
    session.add(
        Session(id=session_id, account_id=account_id, token_hash=token_hash(token), created_at=moment, seen_at=moment)
    )
    return session_id, token


def find_person(application: Application, token: str) -> Person:
    """Whose cookie this is; raises Refused ``unauthenticated`` when its session is over."""
    if not is_token(token):
        raise Refused("unauthenticated")
    moment = now()
    parameters = {"hash": token_hash(token), "since": cutoff(Retention.SESSION, moment)}
    with application.control.quick() as connection:
        row = connection.execute(_FIND, parameters).first()
        if row is None:
            raise Refused("unauthenticated")
        if moment - row.seen_at > NOTED_EVERY:
            connection.execute(update(SESSION).where(SESSION.c.id == row.id).values(seen_at=moment))
    return Person(row.account_id, row.id, operator=row.kind == OPERATOR)


def csrf_token(token: str) -> str:
    """The CSRF token of the session that this cookie belongs to."""
    return base64.urlsafe_b64encode(hmac.digest(token.encode(), b"XSRF-TOKEN", "sha256")).rstrip(b"=").decode()


def is_csrf_token(token: str, given: str) -> bool:
    """Whether ``given`` is the session's CSRF token; compared in constant time."""
    return hmac.compare_digest(csrf_token(token).encode(), given.encode("utf-8", "replace"))


def close_session(session: ControlSession, token: str) -> None:
    """End the session of a cookie, if it is one."""
    if is_token(token):
        session.execute(delete(SESSION).where(SESSION.c.token_hash == token_hash(token)))


def close_sessions(session: ControlSession, account_id: str, *, but: str = "") -> int:
    """End all sessions of an account, but for one if its id is given; how many."""
    ended: Any = session.execute(delete(SESSION).where(SESSION.c.account_id == account_id, SESSION.c.id != but))
    return int(ended.rowcount)
