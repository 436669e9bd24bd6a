"""Changing one's own account: name, password, address.

A new address is confirmed at the new address, and the old one is told at once. Nothing says whether the new
address belongs to somebody already: if so, confirming it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.domain.throttles import NEW_ADDRESS as ADDRESSES
from pigi.domain.throttles import SIGN_IN
from pigi.errors import Refused
from pigi.operations import passwords
from pigi.operations.account_links import add_link, end_links, find_link, use_link
from pigi.operations.accounts import ACCOUNT, AccountView, find_account
from pigi.operations.audit import record
from pigi.operations.billing_contacts import address_changed
from pigi.operations.mail import queue_mail
from pigi.operations.sessions import OPERATOR, close_sessions
from pigi.operations.throttling import take
from pigi.operations.tokens import NEW_ADDRESS, OLD_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

PROOF = [{"pointer": "/password", "message": "is needed to change the address or the password"}]
WRONG = [{"pointer": "/password", "message": "is not your password"}]


@dataclass(frozen=True, repr=False)
class Change:
    """What somebody wants changed; ``password`` is the current one, which the last two need."""

    name: str | None = None
    email: str | None = None
    new_password: str | None = None
    password: str | None = None


def change_account(
    application: Application, person: Person, change: Change, network: str, on_done: OnDone | None = None
) -> AccountView:
    """Change what is asked for, all of it or nothing; the account as it is then.

    A new password ends all other sessions and all mailed links. A new address counts once it is confirmed.

    Raises Refused: ``invalid`` without the password where it is needed, ``wrong_password``, ``password_weak``,
        ``too_many_tries``, ``unavailable``.
    """
    row = _read(application, person.account_id)
    values: dict[str, Any] = {"name": ACCOUNT.c.name if change.name is None else change.name}
    if change.email is not None or change.new_password is not None:
        with passwords.place():
            _prove(application, row, change.password, network)
            if change.new_password is not None:
                # What they are called before and after: neither is a secret.
                name, email = f"{row.name} {change.name or ''}", f"{row.email} {change.email or ''}"
                hashed = passwords.new_hash(change.new_password, name, email, "/new_password")
                values |= {"password_hash": hashed, "password_changed_at": now()}
    address = None if change.email == row.email else change.email
    if address is not None:
        take(application, ADDRESSES, subject=row.id)
    with application.control.begin() as session:
        if not _write(session, row, values):
            raise Refused("wrong_password", errors=WRONG)
        if change.new_password is not None:
            _after_new_password(session, application, person, row.email_key)
        if address is not None:
            _ask_for_address(session, application, person, row, address)
        if on_done is not None:
            on_done(session)
        return find_account(session, row.id)


def confirm_address(application: Application, token: str, person: Person | None) -> None:
    """Make the address that a link was mailed to the account's own; ``person`` stays signed in, if it is theirs.

    All other sessions and all other links end, those that went to the old address among them.

    Raises Refused: ``link_over``, also if the address belongs to another account by now.
    """
    link = find_link(application, NEW_ADDRESS, token)
    row = _read(application, link.account_id)
    own = person.session_id if person is not None and person.account_id == row.id else ""
    with application.control.begin() as session:
        try:
            changed = _write(session, row, {"email": link.email, "email_key": link.email_key})
        except IntegrityError:
            raise Refused("link_over") from None
        if not changed or not use_link(session, link.id):
            raise Refused("link_over")
        close_sessions(session, row.id, but=own)
        end_links(session, row.id, row.email_key)
        who = Person(row.id, own, operator=row.kind == OPERATOR).name
        record(session, application, "account.address_changed", who, subject=who)
        address_changed(session, application, row.id, who)


def _read(application: Application, account_id: str) -> Any:
    with application.control.read() as session:
        return session.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).one()


def _prove(application: Application, row: Any, password: str | None, network: str) -> None:
    """Whoever found a browser signed in must not be able to take the account over."""
    if password is None:
        raise Refused("invalid", errors=PROOF)
    tried = take(application, SIGN_IN, network, row.email_key)
    if not passwords.is_password(password, row.password_hash):
        raise Refused("wrong_password", errors=WRONG)
    tried.give_back()


def _write(session: ControlSession, row: Any, values: dict[str, Any]) -> bool:
    """Change the account; False if its password has changed since it was read, and with it who may do this."""
    same = (ACCOUNT.c.id == row.id) & (ACCOUNT.c.password_hash == row.password_hash) & (ACCOUNT.c.state == "active")
    changed: Any = session.execute(update(ACCOUNT).where(same).values(values))
    return bool(changed.rowcount == 1)


def _after_new_password(session: ControlSession, application: Application, person: Person, key: str) -> None:
    close_sessions(session, person.account_id, but=person.session_id)
    end_links(session, person.account_id, key)
    record(session, application, "account.password_changed", person.name, subject=person.name)
    queue_mail(session, application, Template.PASSWORD_CHANGED, person.account_id, key, asked_by=person.name)


def _ask_for_address(session: ControlSession, application: Application, person: Person, row: Any, email: str) -> None:
    """Mail a link to the new address, and tell the old one, which is held apart: it may be another by then."""
    link_id = add_link(session, application, NEW_ADDRESS, email, row.id)
    queue_mail(session, application, Template.CONFIRM_ADDRESS, link_id, email_key(email), asked_by=person.name)
    notice_id = add_link(session, application, OLD_ADDRESS, row.email, row.id)
    queue_mail(session, application, Template.ADDRESS_CHANGED, notice_id, row.email_key, asked_by=person.name)
