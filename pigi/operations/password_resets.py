"""Forgotten passwords: a link by mail, which works once within an hour.

Asking looks nobody up, so it tells nobody anything; the worker looks, when it writes the mail. Links that were
mailed before stay good until one of them is used, so that somebody else's asking disturbs nobody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.domain.throttles import RESET, RESET_MAIL, SIGN_IN
from pigi.errors import Refused
from pigi.operations import passwords
from pigi.operations.account_links import add_link, end_links, find_link, use_link
from pigi.operations.accounts import ACCOUNT
from pigi.operations.audit import record
from pigi.operations.mail import queue_mail
from pigi.operations.sessions import OPERATOR, close_sessions
from pigi.operations.throttling import forgive, may, take
from pigi.operations.tokens import NEW_PASSWORD

if TYPE_CHECKING:
    from pigi.application import Application


def ask_for_reset(application: Application, email: str, network: str) -> None:
    """Mail a link to whoever has the address, if anybody.

    Raises Refused: ``too_many_tries`` (of this network), ``unavailable``.
    """
    with passwords.place():
        take(application, RESET, network)
        key = email_key(email)
        if not may(application, RESET_MAIL, network, key):
            # The links that were mailed within the hour still work.
            return
        with application.control.begin() as session:
            link_id = add_link(session, application, NEW_PASSWORD, email)
            queue_mail(session, application, Template.PASSWORD_RESET, link_id, key, asked_by="pigi")


def reset_password(application: Application, token: str, password: str, network: str) -> None:
    """Set a new password, end all sessions and all other links, and tell the owner by mail.

    Raises Refused: ``link_over``; ``password_weak``, after which the link still works; ``unavailable``.
    """
    with passwords.place():
        link = find_link(application, NEW_PASSWORD, token)
        account = _owner(application, link)
        hashed = passwords.new_hash(password, account.name, account.email)
        with application.control.begin() as session:
            # The account first, here and wherever its links are used: two requests must not wait for each other.
            changed: Any = session.execute(
                update(ACCOUNT)
                .where(ACCOUNT.c.id == account.id, ACCOUNT.c.state == "active")
                .values(password_hash=hashed, password_changed_at=now())
            )
            if changed.rowcount != 1 or not use_link(session, link.id):
                raise Refused("link_over")
            close_sessions(session, account.id)
            end_links(session, account.id, account.email_key)
            who = Person(account.id, "", operator=account.kind == OPERATOR).name
            record(session, application, "account.password_reset", who, subject=who)
            queue_mail(session, application, Template.PASSWORD_CHANGED, account.id, account.email_key, asked_by=who)
    forgive(application, SIGN_IN, network, account.email_key)


def _owner(application: Application, link: Any) -> Any:
    """Whose link it is: the account it was mailed for, or whoever has the address."""
    own = ACCOUNT.c.id == link.account_id if link.account_id else ACCOUNT.c.email_key == link.email_key
    with application.control.read() as session:
        account = session.execute(select(ACCOUNT).where(own, ACCOUNT.c.state == "active")).first()
    if account is None:
        raise Refused("link_over")
    return account
