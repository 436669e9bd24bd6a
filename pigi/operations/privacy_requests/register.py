"""The register of requests: reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.privacy_requests import RequestState
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.store.people import Account
from pigi.store.privacy_requests import PrivacyRequest

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application

REQUEST: Any = PrivacyRequest.__table__
PAGE = 200
DUE = func.coalesce(REQUEST.c.extended_until, REQUEST.c.due_at)
OPEN = REQUEST.c.state == RequestState.OPEN.value


@dataclass(frozen=True)
class PrivacyRequestView:
    """A request. ``email`` is the account's or what an operator entered; ``overdue`` says that it waits too long."""

    id: str
    type: str
    state: str
    account_id: str | None
    email: str | None
    detail: str | None
    received_at: datetime
    due_at: datetime
    extended_until: datetime | None
    extension_reason: str | None
    answer: str | None
    answered_at: datetime | None
    overdue: bool


_COLUMNS = (
    *(REQUEST.c[name] for name in PrivacyRequestView.__dataclass_fields__ if name in REQUEST.c and name != "email"),
    func.coalesce(Account.email, REQUEST.c.email).label("email"),
)
_READ = select(*_COLUMNS).outerjoin(Account, Account.id == REQUEST.c.account_id)


def list_requests(
    application: Application,
    account_id: str | None = None,
    *,
    is_open: bool | None = None,
    limit: int | None = PAGE,
    before: str | None = None,
) -> list[PrivacyRequestView]:
    """A person's requests, or everybody's, newest first; of the open ones alone those first that are due soonest.

    ``limit`` counts up to `PAGE` and one more; None is for all of them.
    """
    query = _READ if limit is None else _READ.limit(min(limit, PAGE + 1))
    if account_id is not None:
        query = query.where(REQUEST.c.account_id == account_id)
    if before is not None:
        query = query.where(REQUEST.c.id < before)
    if is_open is not None:
        query = query.where(OPEN if is_open else ~OPEN)
    query = query.order_by(DUE, REQUEST.c.id) if is_open else query.order_by(REQUEST.c.id.desc())
    with application.control.autocommit() as connection:
        return [_view(row) for row in connection.execute(query)]


def standing_requests(application: Application, account_id: str) -> dict[str, PrivacyRequestView]:
    """By right, the newest of this person's requests that were followed: with it a restriction is taken back."""
    followed = (REQUEST.c.account_id == account_id) & (REQUEST.c.state == RequestState.ANSWERED.value)
    newest = select(func.max(REQUEST.c.id)).where(followed).group_by(REQUEST.c.type)
    with application.control.autocommit() as connection:
        return {row.type: _view(row) for row in connection.execute(_READ.where(REQUEST.c.id.in_(newest)))}


def read_request(application: Application, request_id: str) -> PrivacyRequestView:
    """Any request, for operators; raises Refused ``not_found``."""
    return _read(application, request_id)


def read_own_request(application: Application, account_id: str, request_id: str) -> PrivacyRequestView:
    """A request of this person's; raises Refused ``not_found``."""
    return _read(application, request_id, REQUEST.c.account_id == account_id)


def count_open_requests(application: Application) -> int:
    """How many wait for an answer."""
    return _count(application)


def overdue_requests(application: Application) -> int:
    """How many wait for an answer longer than they may (promise P34)."""
    return _count(application, now() > DUE)


def _count(application: Application, *among: Any) -> int:
    query = select(func.count()).select_from(REQUEST).where(OPEN, *among)
    with application.control.autocommit() as connection:
        return int(connection.execute(query).scalar_one())


def _read(application: Application, request_id: str, *among: Any) -> PrivacyRequestView:
    with application.control.autocommit() as connection:
        row = connection.execute(_READ.where(REQUEST.c.id == request_id, *among)).first() if is_id(request_id) else None
    if row is None:
        raise Refused("not_found")
    return _view(row)


def _view(row: Any) -> PrivacyRequestView:
    overdue = row.state == RequestState.OPEN and now() > (row.extended_until or row.due_at)
    return PrivacyRequestView(**row._mapping, overdue=overdue)  # noqa: SLF001 - SQLAlchemy's public name for it
