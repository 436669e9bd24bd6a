"""Making a request, and what happens at once: restriction and objection count from the moment they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.privacy_requests import MONTHS_TO_ANSWER, RequestState, Right, due_by
from pigi.domain.processing import Stop, read_stops, write_stops
from pigi.domain.throttles import PRIVACY_REQUESTS
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.audit import record
from pigi.operations.credentials import acquire
from pigi.operations.exports import request_access
from pigi.operations.privacy_requests.register import REQUEST, read_own_request
from pigi.store.people import Account

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.operations.privacy_requests.register import PrivacyRequestView
    from pigi.store.sessions import ControlSession

    OnMade = Callable[[ControlSession, str], None]

ACCOUNT: Any = Account.__table__
NOTHING: frozenset[Stop] = frozenset()
AT_ONCE: dict[Right, tuple[frozenset[Stop], str]] = {
    Right.RESTRICTION: (
        frozenset({Stop.RESTRICTION}),
        (
            "Your data is stored and used for nothing else from now on: no drafts with AI, no statistics, no mail that "
            "is not essential. You can end this whenever you like."
        ),
    ),
    Right.OBJECTION: (
        frozenset({Stop.OBJECTION_GENERATION, Stop.OBJECTION_STATISTICS}),
        (
            "From now on nothing of yours is counted in statistics or sent to the AI provider. You can take this back "
            "whenever you like."
        ),
    ),
}
"""What stops as soon as it is asked for, and the answer that says so."""
COPY = frozenset({Right.ACCESS, Right.PORTABILITY})
COPY_ANSWER = (
    "A copy of all that is held about you is being made, to read and for programs. It appears on the page "
    "/account/exports."
)


def make_request(
    application: Application,
    person: Person,
    right: Right,
    detail: str | None = None,
    on_made: OnMade = lambda _session, _request_id: None,
) -> str:
    """Make a request as this person; its id.

    Access and portability start a copy, restriction and objection count at once, and these are answered with it; the
    others wait for an operator.

    Raises Refused: ``too_many_in_flight`` while copies are being made, ``too_many_privacy_requests``.
    """
    _hold_back(application, person)
    request_id = new_id()
    answer = COPY_ANSWER if right in COPY else AT_ONCE[right][1] if right in AT_ONCE else None
    if right in COPY:
        request_access(
            application,
            person.account_id,
            person.name,
            lambda session, _job: _add(session, application, person, request_id, right, detail, answer, on_made),
        )
        return request_id
    with application.control.begin() as session:
        if right in AT_ONCE:
            stop_at_once(session.connection(), person.account_id, right)
        _add(session, application, person, request_id, right, detail, answer, on_made)
    return request_id


def _hold_back(application: Application, person: Person) -> None:
    try:
        acquire(application, PRIVACY_REQUESTS, subject=person.account_id)
    except Refused as refusal:
        raise Refused("too_many_privacy_requests", **refusal.details) from None


def stop_at_once(connection: Connection, account_id: str, right: Right) -> None:
    """From now on the account's data is used no longer for what this right stops."""
    _change_stops(connection, account_id, add=AT_ONCE[right][0])


def _add(  # noqa: PLR0913 - a request's facts
    session: ControlSession,
    application: Application,
    person: Person,
    request_id: str,
    right: Right,
    detail: str | None,
    answer: str | None,
    on_made: OnMade,
) -> None:
    moment = now()
    state = RequestState.OPEN if answer is None else RequestState.ANSWERED
    session.connection().execute(
        insert(REQUEST).values(
            id=request_id,
            type=right.value,
            state=state.value,
            account_id=person.account_id,
            detail=detail,
            received_at=moment,
            due_at=due_by(moment, MONTHS_TO_ANSWER),
            answer=answer,
            answered_at=None if answer is None else moment,
        )
    )
    record(session, application, "request.made", person.name, None, f"request:{request_id}", right=right.value)
    on_made(session, request_id)


def withdraw_request(
    application: Application,
    person: Person,
    request_id: str,
    on_done: Callable[[ControlSession], None] = lambda _session: None,
) -> PrivacyRequestView:
    """Take a request back; a restriction or an objection counts no longer, unless another one of the sort does.

    Raises Refused: ``not_found``; ``request_over`` if it was withdrawn, or answered and is nothing that goes on.
    """
    with application.control.begin() as session:
        connection = session.connection()
        row = _locked(connection, person.account_id, request_id)
        right = Right(row.type)
        if row.state != RequestState.OPEN and not (row.state == RequestState.ANSWERED and right in AT_ONCE):
            raise Refused("request_over")
        withdrawn = update(REQUEST).where(REQUEST.c.id == request_id)
        connection.execute(withdrawn.values(state=RequestState.WITHDRAWN.value, answered_at=row.answered_at or now()))
        if right in AT_ONCE and not _goes_on(connection, person.account_id, right):
            _change_stops(connection, person.account_id, remove=AT_ONCE[right][0])
        record(session, application, "request.withdrawn", person.name, None, f"request:{request_id}", right=right.value)
        on_done(session)
    return read_own_request(application, person.account_id, request_id)


def _locked(connection: Connection, account_id: str, request_id: str) -> Any:
    own = (REQUEST.c.id == request_id) & (REQUEST.c.account_id == account_id)
    row = connection.execute(select(REQUEST).where(own).with_for_update()).first() if is_id(request_id) else None
    if row is None:
        raise Refused("not_found")
    return row


def _goes_on(connection: Connection, account_id: str, right: Right) -> bool:
    same = (REQUEST.c.account_id == account_id) & (REQUEST.c.type == right.value)
    query = select(REQUEST.c.id).where(same, REQUEST.c.state == RequestState.ANSWERED.value).limit(1)
    return connection.execute(query).first() is not None


def _change_stops(
    connection: Connection, account_id: str, *, add: frozenset[Stop] = NOTHING, remove: frozenset[Stop] = NOTHING
) -> None:
    this = ACCOUNT.c.id == account_id
    before = read_stops(connection.execute(select(ACCOUNT.c.stops).where(this).with_for_update()).scalar_one())
    connection.execute(update(ACCOUNT).where(this).values(stops=write_stops((before | add) - remove)))
