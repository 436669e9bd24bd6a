"""Sessions of browsers: opened at sign-in, gone at log-out, at most 12 hours idle and 30 days old (P35, P36).

The cookie holds a secret of 256 random bits, of which the hash alone is kept. The CSRF token is derived from
the first of them, so it belongs to one session and ends with it. The session has another secret once it may do more
or other than before, so that whoever copied its cookie is left behind.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from pigi.clock import now
from pigi.domain.access import CONFIRMED_FOR, OPERATOR, SIGNS_IN, AccountState, Person
from pigi.domain.addresses import email_key
from pigi.domain.canary import KIND as CANARY
from pigi.domain.processing import read_stops
from pigi.domain.retention import SESSION_AGE, Retention, keep
from pigi.domain.throttles import SIGN_IN
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations import credentials
from pigi.operations.accounts.accounts import ACCOUNT, AccountView, find_account
from pigi.operations.accounts.factors import pass_factor
from pigi.operations.audit import record
from pigi.operations.credentials import is_token, token_hash
from pigi.store.people import HAS_FACTOR, SESSION_IS_OPEN, Account, Session, session_is_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

RECORDED_EVERY = timedelta(minutes=1)
"""How often a session's use is written down; a write a request would cost more than it says."""
GRACE = timedelta(minutes=1)
"""How long the secret before holds where somebody else's act renewed it: for requests that are on their way."""
MOST_SHOWN = 200
SESSION: Any = Session.__table__

_FIND: Any = (
    select(
        Session.id,
        Session.account_id,
        Session.seen_at,
        Session.confirmed_at,
        Session.created_at,
        Session.renewal_due,
        Session.csrf_hash,
        Account.kind,
        Account.state,
        Account.stops,
        HAS_FACTOR.label("factor"),
    )
    .join(Account, Account.id == Session.account_id)
    .where(SESSION_IS_OPEN, Account.state.in_(SIGNS_IN))
)
_FIND_CURRENT: Any = _FIND.where(Session.token_hash == bindparam("hash"))
_FIND_PREVIOUS: Any = _FIND.where(
    Session.previous_hash == bindparam("hash"), Session.previous_until > bindparam("moment")
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
    parameters = {"hash": token_hash(token), **session_is_open(moment)}
    with application.control.autocommit() as connection:
        row = connection.execute(_FIND_CURRENT, parameters).first()
        current = row is not None
        if row is None:
            row = connection.execute(_FIND_PREVIOUS, {**parameters, "moment": moment}).first()
        if row is None:
            raise Refused("unauthenticated")
        if moment - row.seen_at > RECORDED_EVERY:
            connection.execute(update(SESSION).where(SESSION.c.id == row.id).values(seen_at=moment))
    confirmed = current and row.confirmed_at is not None and moment - row.confirmed_at < CONFIRMED_FOR
    deleting = row.state == AccountState.DELETING
    return Person(
        row.account_id,
        row.id,
        operator=row.kind == OPERATOR,
        confirmed=confirmed,
        deleting=deleting,
        factor=bool(row.factor),
        stops=read_stops(row.stops),
        csrf_hash=row.csrf_hash,
        renewal_due=current and row.renewal_due,
    )


def csrf_token(token: str) -> str:
    """The CSRF token of the session that this cookie belongs to."""
    return base64.urlsafe_b64encode(hmac.digest(token.encode(), b"XSRF-TOKEN", "sha256")).rstrip(b"=").decode()


def is_csrf_token(person: Person, token: str, given: str) -> bool:
    """Whether ``given`` is the CSRF token of the person's session, whose secret is ``token``; in constant time."""
    kept = token_hash(csrf_token(token)) if person.csrf_hash is None else person.csrf_hash
    return hmac.compare_digest(kept, token_hash(given))


def renew_session(session: ControlSession, session_id: str, token: str, grace: timedelta = timedelta()) -> str:
    """Another secret in place of ``token`` for the cookie of a session, in the caller's transaction.

    The CSRF token stays. Raises Refused ``unauthenticated`` if ``token`` is the session's no longer.
    """
    renewed, moment = secrets.token_urlsafe(32), now()
    values = {
        "token_hash": token_hash(renewed),
        "csrf_hash": func.coalesce(SESSION.c.csrf_hash, token_hash(csrf_token(token))),
        "renewal_due": False,
        "previous_hash": token_hash(token) if grace else None,
        "previous_until": moment + grace if grace else None,
    }
    own = (SESSION.c.id == session_id) & (SESSION.c.token_hash == token_hash(token))
    changed: Any = session.execute(update(SESSION).where(own).values(values))
    if changed.rowcount != 1:
        raise Refused("unauthenticated")
    return renewed


def make_renewal_due(session: ControlSession, account_id: str) -> None:
    """Have the account's sessions get another secret with their next request: what they may has changed."""
    session.execute(update(SESSION).where(SESSION.c.account_id == account_id).values(renewal_due=True))


def renew_when_due(application: Application, person: Person, token: str) -> str | None:
    """Another secret for a session whose rights somebody changed; None if another request has just got it."""
    try:
        with application.control.begin() as session:
            return renew_session(session, person.session_id, token, GRACE)
    except Refused:
        return None


def close_session(session: ControlSession, token: str) -> None:
    """End the session of a cookie, if it is one, also of one whose secret was the session's a moment ago."""
    if is_token(token):
        kept = token_hash(token)
        before = (SESSION.c.previous_hash == kept) & (SESSION.c.previous_until > now())
        session.execute(delete(SESSION).where(or_(SESSION.c.token_hash == kept, before)))


def close_sessions(session: ControlSession, account_id: str, *, but: str = "") -> int:
    """End all sessions of an account, but for one if its id is given; how many."""
    ended: Any = session.execute(delete(SESSION).where(SESSION.c.account_id == account_id, SESSION.c.id != but))
    return int(ended.rowcount)


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Who is signed in now, and the secret for the session's cookie."""

    account: AccountView
    token: str


def sign_in(  # noqa: PLR0913 - what the request brings
    application: Application, email: str, password: str, network: str, replaced: str = "", code: str | None = None
) -> SignedIn:
    """Open a session for whoever knows the password and, where the account has a second factor, gives its ``code``.

    The session is always a new one, so nobody can have planted it. ``replaced`` is the cookie that the browser
    had; its session ends. Nothing is opened, and no cookie given, before the code was right.

    Raises Refused: ``wrong_credentials``, ``second_factor_needed`` if the password was right and there is no code,
        ``wrong_code``, ``too_many_tries``, ``unavailable``.
    """
    key = email_key(email)
    with credentials.hashing(application, SIGN_IN, network, key) as tried, _found(application, key) as row:
        kept = row.password_hash if row else None
        if not credentials.is_password(password, kept) or row is None:
            raise Refused("wrong_credentials")
        if row.factor and code is None:
            tried.refund()
            raise Refused("second_factor_needed")
        coded = credentials.acquire_code(application, row.id, code) if row.factor and code is not None else None
        renewed = credentials.renewed(password, row.password_hash)
        with application.control.begin() as session:
            # It holds off a change of the password until the session can be seen, and so ended, by it.
            still: Any = session.execute(
                update(ACCOUNT)
                .where(ACCOUNT.c.id == row.id, ACCOUNT.c.password_hash == kept, ACCOUNT.c.state.in_(SIGNS_IN))
                .values(password_hash=renewed)
            )
            if still.rowcount != 1:
                raise Refused("wrong_credentials")
            pass_factor(session, application, row, code)
            token = start_session(session, application, row.id, replaced, operator=row.kind == OPERATOR)
            account = find_account(session, row.id)
        for one in (tried, coded):
            if one is not None:
                one.refund()
    return SignedIn(account, token)


def start_session(
    session: ControlSession, application: Application, account_id: str, replaced: str, *, operator: bool = False
) -> str:
    """A session in place of the one that the browser had; the secret for its cookie."""
    close_session(session, replaced)
    session_id, token = open_session(session, account_id)
    _record(session, application, "session.signed_in", Person(account_id, session_id, operator))
    return token


def sign_out(application: Application, person: Person, token: str, on_done: OnDone | None = None) -> None:
    """End the session of this cookie."""
    with application.control.begin() as session:
        close_session(session, token)
        _record(session, application, "session.signed_out", person)
        if on_done is not None:
            on_done(session)


def _record(session: ControlSession, application: Application, act: str, person: Person) -> None:
    """Note the act, unless it is the canary's: it signs in every five minutes, and the log is kept for two years."""
    kind = session.execute(select(ACCOUNT.c.kind).where(ACCOUNT.c.id == person.account_id)).scalar()
    if kind != CANARY:
        record(session, application, act, person.name, subject=f"session:{person.session_id}")


def sign_out_everywhere(application: Application, person: Person, on_done: OnDone | None = None) -> None:
    """End all of a person's sessions."""
    with application.control.begin() as session:
        count = close_sessions(session, person.account_id)
        record(session, application, "session.signed_out_everywhere", person.name, subject=person.name, count=count)
        if on_done is not None:
            on_done(session)


@dataclass(frozen=True)
class SessionView:
    """A browser that is signed in. Pigi knows neither which nor where it is: it keeps no address and no device."""

    id: str
    created_at: datetime
    seen_at: datetime
    current: bool

    @property
    def ends_at(self) -> datetime:
        """When it ends if it is not used again, and when it does however much it is."""
        return min(self.seen_at + keep(Retention.SESSION), self.created_at + SESSION_AGE)


def list_sessions(application: Application, person: Person) -> list[SessionView]:
    """A person's open sessions, the one last used first."""
    mine = (SESSION.c.account_id == person.account_id) & SESSION_IS_OPEN
    query = select(SESSION.c.id, SESSION.c.created_at, SESSION.c.seen_at).where(mine).order_by(SESSION.c.seen_at.desc())
    with application.control.read() as session:
        rows = session.execute(query.limit(MOST_SHOWN), session_is_open(now())).all()
    return [SessionView(row.id, row.created_at, row.seen_at, row.id == person.session_id) for row in rows]


def end_session(application: Application, person: Person, session_id: str, on_done: OnDone | None = None) -> None:
    """End one of a person's sessions, also the present one; raises Refused ``not_found``."""
    mine = (SESSION.c.id == session_id) & (SESSION.c.account_id == person.account_id)
    with application.control.begin() as session:
        ended: Any = session.execute(delete(SESSION).where(mine))
        if ended.rowcount != 1:
            raise Refused("not_found")
        record(session, application, "session.ended", person.name, subject=f"session:{session_id}")
        if on_done is not None:
            on_done(session)


def end_other_sessions(application: Application, person: Person, on_done: OnDone | None = None) -> None:
    """End all of a person's sessions but this one."""
    with application.control.begin() as session:
        count = close_sessions(session, person.account_id, but=person.session_id)
        record(session, application, "session.others_ended", person.name, subject=person.name, count=count)
        if on_done is not None:
            on_done(session)


@contextmanager
def _found(application: Application, key: str) -> Iterator[Any]:
    """Whoever signs in with this address, or None; what turns out wrong within the block is counted either way."""
    columns = (ACCOUNT.c.id, ACCOUNT.c.kind, ACCOUNT.c.email_key, ACCOUNT.c.password_hash)
    query = select(*columns, HAS_FACTOR.label("factor"))
    with application.control.autocommit() as connection:
        row = connection.execute(query.where(ACCOUNT.c.email_key == key, ACCOUNT.c.state.in_(SIGNS_IN))).first()
    with credentials.counting_failures(application, row.id if row else None, key):
        yield row
