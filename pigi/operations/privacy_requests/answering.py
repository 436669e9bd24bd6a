"""The register as operators keep it: entering what came by mail, extending, answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.addresses import email_key
from pigi.domain.privacy_requests import MONTHS_LONGEST, MONTHS_TO_ANSWER, RequestState, Right, due_by
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.audit import record
from pigi.operations.mail import queue_mail
from pigi.operations.privacy_requests.making import AT_ONCE, stop_at_once
from pigi.operations.privacy_requests.register import REQUEST, read_request
from pigi.store.people import Account

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.application import Application
    from pigi.operations.privacy_requests.register import PrivacyRequestView
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]


def _ignore(_session: ControlSession) -> None:
    """For a command, which owes nobody a record."""


def enter_request(  # noqa: PLR0913 - a request's facts, each named at the call
    application: Application,
    operator: str,
    right: Right,
    email: str,
    *,
    received_at: datetime | None = None,
    detail: str | None = None,
    on_made: Callable[[ControlSession, str], None] = lambda _session, _request_id: None,
) -> str:
    """Enter a request that came by mail from this address, as ``operator:ID``; its id.

    It waits for an answer, whatever it asks: whether whoever wrote is who they say is for the operator to find out.
    ``received_at`` at midnight stands for a day, `due_by` says.

    Raises Refused ``request_received_unfit`` for a moment that is yet to come.
    """
    moment = received_at or now()
    if moment > now():
        raise Refused("request_received_unfit")
    request_id = new_id()
    with application.control.begin() as session:
        connection = session.connection()
        account = connection.execute(select(Account.id).where(Account.email_key == email_key(email))).scalar()
        connection.execute(
            insert(REQUEST).values(
                id=request_id,
                type=right.value,
                state=RequestState.OPEN.value,
                account_id=account,
                email=None if account else email,
                email_key=None if account else email_key(email),
                detail=detail,
                received_at=moment,
                due_at=due_by(moment, MONTHS_TO_ANSWER),
                entered_by=operator,
            )
        )
        record(session, application, "request.entered", operator, None, f"request:{request_id}", right=right.value)
        on_made(session, request_id)
    return request_id


def extend_request(
    application: Application, operator: str, request_id: str, reason: str, on_done: OnDone = _ignore
) -> PrivacyRequestView:
    """Let the answer take two further months, and tell whoever asked why (article 12(3)).

    Raises Refused: ``not_found``, ``request_over``, ``request_extended`` once it was, or its first month is over.
    """
    with application.control.begin() as session:
        row = _open(session, request_id)
        if row.extended_until is not None or now() > row.due_at:
            raise Refused("request_extended")
        until = due_by(row.received_at, MONTHS_LONGEST)
        this = update(REQUEST).where(REQUEST.c.id == request_id)
        session.connection().execute(this.values(extended_until=until, extension_reason=reason))
        _tell(session, application, "privacy-request-extended", row)
        record(session, application, "request.extended", operator, None, f"request:{request_id}")
        on_done(session)
    return read_request(application, request_id)


def answer_request(  # noqa: PLR0913 - an answer's facts, each named at the call
    application: Application,
    operator: str,
    request_id: str,
    answer: str,
    *,
    refused: bool = False,
    on_done: OnDone = _ignore,
) -> PrivacyRequestView:
    """Answer a request, by mail as well; ``refused`` if it is not followed.

    Unless it is refused, a restriction or an objection that was entered for an account counts from now on; its owner
    can take it back. Raises Refused: ``not_found``, ``request_over``.
    """
    state = RequestState.REFUSED if refused else RequestState.ANSWERED
    with application.control.begin() as session:
        row = _open(session, request_id)
        this = update(REQUEST).where(REQUEST.c.id == request_id)
        session.connection().execute(this.values(state=state.value, answer=answer, answered_at=now()))
        if row.account_id is not None and row.type in AT_ONCE and not refused:
            stop_at_once(session.connection(), row.account_id, Right(row.type))
        _tell(session, application, "privacy-request-answered", row)
        record(session, application, "request.answered", operator, None, f"request:{request_id}")
        on_done(session)
    return read_request(application, request_id)


def _open(session: ControlSession, request_id: str) -> Any:
    this = select(REQUEST).where(REQUEST.c.id == request_id).with_for_update()
    row = session.connection().execute(this).first() if is_id(request_id) else None
    if row is None:
        raise Refused("not_found")
    if row.state != RequestState.OPEN:
        raise Refused("request_over")
    return row


def _tell(session: ControlSession, application: Application, template: str, row: Any) -> None:
    key = row.email_key
    if row.account_id is not None:
        key = session.execute(select(Account.email_key).where(Account.id == row.account_id)).scalar_one()
    queue_mail(session, application, template, row.id, key, recipient_id=row.account_id)
