"""A new address of an account: confirmed by its owner, and undone by whoever has the old one.

The link that was mailed to the new address shows that somebody reads it, and not that they are the account's owner. So
it takes the account's session or its password besides. The old address is mailed a link that brings it back, and with
it the account, whatever was done to that meanwhile.

Nothing says whether the new address belongs to somebody already: if so, confirming it fails.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from pigi.clock import now
from pigi.domain.access import OPERATOR, SIGNS_IN, Person
from pigi.domain.mail import Template
from pigi.domain.retention import Retention, keep
from pigi.domain.throttles import CODES, SIGN_IN
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.accounts.accounts import ACCOUNT
from pigi.operations.accounts.changes import add_link, end_links, find_link, read_row, use_link, write_row
from pigi.operations.accounts.confirmation import prove
from pigi.operations.accounts.factors import pass_factor
from pigi.operations.accounts.sessions import close_sessions
from pigi.operations.audit import record
from pigi.operations.billing import address_changed
from pigi.operations.credentials import (
    ADDRESS_UNDO,
    FACTOR,
    NEW_ADDRESS,
    NEW_PASSWORD,
    RECOVERY,
    acquire_code,
    counting_failures,
    is_token,
    reset_throttles,
    token_hash,
)
from pigi.operations.mail import queue_mail
from pigi.store.people import AddressUndo

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

UNDO: Any = AddressUndo.__table__
NO_PASSWORD = "!"  # noqa: S105 - no password has this hash


def confirm_address(  # noqa: PLR0913 - what the request brings
    application: Application,
    token: str,
    person: Person | None,
    network: str,
    password: str | None = None,
    code: str | None = None,
    on_done: OnDone | None = None,
) -> None:
    """Make the address that a link was mailed to the account's own, for ``person``, or whoever knows its ``password``.

    All other sessions and all other links end, those that went to the old address among them; that one is mailed a way
    back. ``on_done`` is called in the transaction if the person's session is the account's.

    Raises Refused: ``link_over``, also if the address belongs to another account by now; ``owner_needed`` without the
        account's session and password; ``wrong_password``, ``second_factor_needed``, ``wrong_code``,
        ``too_many_tries``, ``unavailable``.
    """
    link = find_link(application, NEW_ADDRESS, token)
    row = read_row(application, link.account_id)
    own = person.session_id if person is not None and person.account_id == row.id else ""
    if not own and password is None:
        raise Refused("owner_needed")
    with ExitStack() as proven:
        tried = None
        if not own:
            proven.enter_context(prove(application, row, password, network))
            tried = None if code is None else acquire_code(application, row.id, code)
        with counting_failures(application, row.id), application.control.begin() as session:
            _confirm(session, application, row, link, own, code)
            if own and on_done is not None:
                on_done(session)
        if tried is not None:
            tried.refund()


def _confirm(  # noqa: PLR0913 - a transaction's facts
    session: ControlSession, application: Application, row: Any, link: Any, own: str, code: str | None
) -> None:
    try:
        changed = write_row(session, row, {"email": link.email, "email_key": link.email_key})
    except IntegrityError:
        raise Refused("link_over") from None
    if not changed or not use_link(session, link.id):
        raise Refused("link_over")
    if not own:
        pass_factor(session, application, row, code)
    close_sessions(session, row.id, but=own)
    end_links(session, row.id, row.email_key)
    who = Person(row.id, own, operator=row.kind == OPERATOR).name
    _offer_way_back(session, application, row, who)
    record(session, application, "account.address_changed", who, subject=who)
    address_changed(session, application, row.id, who)


def _offer_way_back(session: ControlSession, application: Application, row: Any, who: str) -> None:
    undo_id, moment = new_id(), now()
    made = {
        "id": undo_id,
        "account_id": row.id,
        "email": row.email,
        "email_key": row.email_key,
        "token_hash": token_hash(application.keyring.token(ADDRESS_UNDO, undo_id)),
        "created_at": moment,
        "expires_at": moment + keep(Retention.ADDRESS_UNDO),
    }
    session.execute(insert(UNDO).values(made))
    queue_mail(session, application, Template.ADDRESS_UNDO, undo_id, row.email_key, requested_by=who)


def undo_address(application: Application, token: str, network: str) -> None:
    """Bring an account's old address back, for whoever reads its mail, and mail them a link to a new password.

    Whoever changed the address may have the password and may have set up a second factor of theirs: no password holds
    until there is a new one, and a factor that is younger than the change is off. All sessions and links end, and the
    ways back to what came after this address; those to what came before stay.

    Raises Refused: ``link_over``; ``address_in_use`` if the old address has another account, after which the link still
        works; ``too_many_tries``.
    """
    query = select(UNDO).where(UNDO.c.token_hash == token_hash(token), UNDO.c.expires_at > now())
    with application.control.read() as session:
        undo = session.execute(query).first() if is_token(token) else None
    if undo is None:
        raise Refused("link_over")
    row = read_row(application, undo.account_id)
    with application.control.begin() as session:
        _bring_back(session, application, row, undo)
    reset_throttles(application, SIGN_IN, network, undo.email_key)
    reset_throttles(application, CODES, network, row.id)


def _bring_back(session: ControlSession, application: Application, row: Any, undo: Any) -> None:
    values = {"email": undo.email, "email_key": undo.email_key, "password_hash": NO_PASSWORD}
    own = (ACCOUNT.c.id == row.id) & ACCOUNT.c.state.in_(SIGNS_IN)
    try:
        changed: Any = session.execute(update(ACCOUNT).where(own).values(values))
    except IntegrityError:
        raise Refused("address_in_use") from None
    later = (UNDO.c.account_id == row.id) & (UNDO.c.created_at >= undo.created_at)
    ended: set[str] = set(session.scalars(delete(UNDO).where(later).returning(UNDO.c.id)))
    if changed.rowcount != 1 or undo.id not in ended:
        raise Refused("link_over")
    close_sessions(session, row.id)
    end_links(session, row.id, row.email_key)
    # One begun before the change counts by when it was turned on: the thief may have waited with its first code.
    young = or_(FACTOR.c.confirmed_at.is_(None), FACTOR.c.confirmed_at >= undo.created_at)
    since = (FACTOR.c.account_id == row.id) & young
    if session.scalars(delete(FACTOR).where(since).returning(FACTOR.c.account_id)).first() is not None:
        session.execute(delete(RECOVERY).where(RECOVERY.c.account_id == row.id))
    who = Person(row.id, "", operator=row.kind == OPERATOR).name
    link_id = add_link(session, application, NEW_PASSWORD, undo.email, row.id)
    queue_mail(session, application, Template.PASSWORD_RESET, link_id, undo.email_key, requested_by=who)
    record(session, application, "account.address_undone", who, subject=who)
    address_changed(session, application, row.id, who)
