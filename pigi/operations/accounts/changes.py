"""Changing one's own account: name, password, address.

A new address counts once it is confirmed (`pigi.operations.accounts.addresses`); the old one gets a notice at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from pigi.clock import now
from pigi.domain.access import OPERATOR, SIGNS_IN, Person
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.domain.resources.saving import check_secrets
from pigi.domain.retention import Retention, keep
from pigi.domain.throttles import CODES, RESET, RESET_MAIL, SIGN_IN
from pigi.domain.throttles import NEW_ADDRESS as ADDRESSES
from pigi.domain.throttles import NEW_PASSWORD as LINKED
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations import credentials
from pigi.operations.accounts.accounts import ACCOUNT, AccountView, find_account
from pigi.operations.accounts.confirmation import WRONG, ask_for_factor, prove
from pigi.operations.accounts.sessions import close_sessions
from pigi.operations.audit import record
from pigi.operations.credentials import (
    ADDRESS,
    NEW_ADDRESS,
    NEW_PASSWORD,
    OLD_ADDRESS,
    acquire,
    is_token,
    reset_throttles,
    token_hash,
    try_acquire,
)
from pigi.operations.credentials import RESET as PASSWORD_RESET
from pigi.operations.mail import queue_mail
from pigi.store.people import AccountToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]
    from pigi.store.sessions import ControlSession


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
    """Change what the request names, all of it or nothing; the account as it is then.

    A new password ends all other sessions and all mailed links. A new address counts once it is confirmed.

    Raises Refused: ``invalid`` without the password where it is needed, ``secret_found`` in the name,
        ``wrong_password``, ``password_weak``, ``too_many_tries``, ``unavailable``; ``confirmation_required`` where the
        password is needed and there is a second factor.
    """
    check_secrets({"name": change.name or ""})
    row = read_row(application, person.account_id)
    values: dict[str, Any] = {"name": ACCOUNT.c.name if change.name is None else change.name}
    if change.email is not None or change.new_password is not None:
        ask_for_factor(person)
        with prove(application, row, change.password, network):
            if change.new_password is not None:
                # What they are called before and after: neither is a secret.
                name, email = f"{row.name} {change.name or ''}", f"{row.email} {change.email or ''}"
                hashed = credentials.new_hash(change.new_password, name, email, "/new_password")
                values |= {"password_hash": hashed, "password_changed_at": now()}
    address = None if change.email == row.email else change.email
    if address is not None:
        acquire(application, ADDRESSES, subject=row.id)
    with application.control.begin() as session:
        if not write_row(session, row, values):
            raise Refused("wrong_password", errors=WRONG)
        if change.new_password is not None:
            _after_new_password(session, application, person, row.email_key)
        if address is not None:
            _request_address(session, application, person, row, address)
        if on_done is not None:
            on_done(session)
        return find_account(session, row.id)


def read_row(application: Application, account_id: str) -> Any:
    """The row of an account that there is."""
    with application.control.read() as session:
        return session.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).one()


def write_row(session: ControlSession, row: Any, values: dict[str, Any]) -> bool:
    """Change the account; False if its password has changed since it was read, and with it who may do this."""
    same = (ACCOUNT.c.id == row.id) & (ACCOUNT.c.password_hash == row.password_hash) & ACCOUNT.c.state.in_(SIGNS_IN)
    changed: Any = session.execute(update(ACCOUNT).where(same).values(values))
    return bool(changed.rowcount == 1)


def _after_new_password(session: ControlSession, application: Application, person: Person, key: str) -> None:
    close_sessions(session, person.account_id, but=person.session_id)
    end_links(session, person.account_id, key)
    record(session, application, "account.password_changed", person.name, subject=person.name)
    queue_mail(session, application, Template.PASSWORD_CHANGED, person.account_id, key, requested_by=person.name)


def _request_address(session: ControlSession, application: Application, person: Person, row: Any, email: str) -> None:
    """Mail a link to the new address and a notice to the old one, which is held apart: it may be another by then."""
    link_id = add_link(session, application, NEW_ADDRESS, email, row.id)
    queue_mail(session, application, Template.CONFIRM_ADDRESS, link_id, email_key(email), requested_by=person.name)
    record(session, application, "account.address_change_asked", person.name, subject=person.name)
    notice_id = add_link(session, application, OLD_ADDRESS, row.email, row.id)
    queue_mail(session, application, Template.ADDRESS_CHANGED, notice_id, row.email_key, requested_by=person.name)


TOKEN: Any = AccountToken.__table__
USES = {NEW_PASSWORD: PASSWORD_RESET, NEW_ADDRESS: ADDRESS, OLD_ADDRESS: OLD_ADDRESS}
"""For what the keyring derives the token of a row with this purpose; the last is never mailed, nor requested."""


def add_link(
    session: ControlSession, application: Application, purpose: str, email: str, account_id: str | None = None
) -> str:
    """A link that will be mailed to ``email``; its id. Without an account, the worker finds out whose it is."""
    row_id, moment = new_id(), now()
    row = {
        "id": row_id,
        "purpose": purpose,
        "account_id": account_id,
        "email": email,
        "email_key": email_key(email),
        "token_hash": token_hash(application.keyring.token(USES[purpose], row_id)),
        "created_at": moment,
        "expires_at": moment + keep(Retention.TOKEN),
    }
    session.execute(insert(TOKEN).values(row))
    return row_id


def find_link(application: Application, purpose: str, token: str) -> Any:
    """The row of a mailed link; raises Refused ``link_over`` for one that is unknown, used or too old."""
    query = select(TOKEN).where(
        TOKEN.c.purpose == purpose, TOKEN.c.token_hash == token_hash(token), TOKEN.c.expires_at > now()
    )
    with application.control.read() as session:
        row = session.execute(query).first() if is_token(token) else None
    if row is None:
        raise Refused("link_over")
    return row


def use_link(session: ControlSession, link_id: str) -> bool:
    """Use a link up; False if somebody else just did."""
    used: Any = session.execute(delete(TOKEN).where(TOKEN.c.id == link_id))
    return bool(used.rowcount == 1)


def end_links(session: ControlSession, account_id: str, key: str) -> None:
    """End all mailed links of an account, also those that were requested with its address alone."""
    own = TOKEN.c.account_id == account_id
    of_address = (TOKEN.c.purpose == NEW_PASSWORD) & (TOKEN.c.email_key == key)
    session.execute(delete(TOKEN).where(TOKEN.c.purpose != OLD_ADDRESS, or_(own, of_address)))


def request_reset(application: Application, email: str, network: str) -> None:
    """Mail a link to whoever has the address, if anybody.

    Raises Refused: ``too_many_tries`` (of this network).
    """
    acquire(application, RESET, network)
    key = email_key(email)
    # By address and not by mailbox: others' spellings of it have no account, so no link of theirs would be the owner's.
    if not try_acquire(application, RESET_MAIL, network, key):
        # The links that were mailed within the hour still work.
        return
    with application.control.begin() as session:
        link_id = add_link(session, application, NEW_PASSWORD, email)
        queue_mail(session, application, Template.PASSWORD_RESET, link_id, key, requested_by="pigi")


def reset_password(application: Application, token: str, password: str, network: str) -> None:
    """Set a new password, end all sessions and all other links, and notify the owner by mail.

    Raises Refused: ``link_over``; ``password_weak``, after which the link still works; ``too_many_tries`` (of this
        network), ``unavailable``.
    """
    link = find_link(application, NEW_PASSWORD, token)
    account = _owner(application, link)
    with credentials.hashing(application, LINKED, network):
        hashed = credentials.new_hash(password, account.name, account.email)
        with application.control.begin() as session:
            # The account first, here and wherever its links are used: two requests must not wait for each other.
            changed: Any = session.execute(
                update(ACCOUNT)
                .where(ACCOUNT.c.id == account.id, ACCOUNT.c.state.in_(SIGNS_IN))
                .values(password_hash=hashed, password_changed_at=now())
            )
            if changed.rowcount != 1 or not use_link(session, link.id):
                raise Refused("link_over")
            close_sessions(session, account.id)
            end_links(session, account.id, account.email_key)
            who = Person(account.id, "", operator=account.kind == OPERATOR).name
            record(session, application, "account.password_reset", who, subject=who)
            queue_mail(session, application, Template.PASSWORD_CHANGED, account.id, account.email_key, requested_by=who)
    reset_throttles(application, SIGN_IN, network, account.email_key)
    # Whoever used up the tries at its codes knew the old password.
    reset_throttles(application, CODES, network, account.id)


def _owner(application: Application, link: Any) -> Any:
    """Whose link it is: the account it was mailed for, or whoever has the address."""
    own = ACCOUNT.c.id == link.account_id if link.account_id else ACCOUNT.c.email_key == link.email_key
    with application.control.read() as session:
        account = session.execute(select(ACCOUNT).where(own, ACCOUNT.c.state.in_(SIGNS_IN))).first()
    if account is None:
        raise Refused("link_over")
    return account
