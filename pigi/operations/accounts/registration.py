"""Registrations: requesting an account, and confirming it with the mailed link and the password.

A registration is no account yet. The account is made when the link and the password come back together, so
that neither who types another's address nor who reads another's mail gets one in their name. No answer says
whether an address is known: docs/decisions/0013-registration-is-confirmed-with-the-password.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from pigi.clock import now
from pigi.domain.addresses import email_key, mailbox_key
from pigi.domain.mail import Template
from pigi.domain.reasons import REGISTER_AGAIN
from pigi.domain.resources.saving import check_secrets
from pigi.domain.retention import Retention, keep
from pigi.domain.throttles import CONFIRMATION, REGISTRATION, WELCOME, WELCOME_MAILBOX
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations import credentials
from pigi.operations.accounts.accounts import add_account, find_account
from pigi.operations.accounts.sessions import SignedIn, start_session
from pigi.operations.credentials import WELCOME as USE
from pigi.operations.credentials import is_token, token_hash, try_acquire
from pigi.operations.mail import queue_mail
from pigi.store.people import Registration

if TYPE_CHECKING:
    from pigi.application import Application

TABLE: Any = Registration.__table__


def register(application: Application, name: str, email: str, password: str, network: str) -> None:
    """Request an account: the address is mailed a link, or that it has an account.

    Which of them, the worker finds out: the request does the same either way, and takes as long.

    Raises Refused: ``secret_found`` in the name, ``password_weak``, ``too_many_tries`` (of this network),
        ``unavailable``.
    """
    check_secrets({"name": name})
    with credentials.hashing(application, REGISTRATION, network):
        hashed = credentials.new_hash(password, name, email)
        key, row_id, moment = email_key(email), new_id(), now()
        if not (
            try_acquire(application, WELCOME, network, key)
            and try_acquire(application, WELCOME_MAILBOX, subject=mailbox_key(email))
        ):
            # The address has had its share of mail. The response is the same: it must say nothing about the address.
            return
        with application.control.begin() as session:
            session.execute(
                insert(TABLE).values(
                    id=row_id,
                    name=name,
                    email=email,
                    email_key=key,
                    password_hash=hashed,
                    token_hash=token_hash(application.keyring.token(USE, row_id)),
                    created_at=moment,
                    expires_at=moment + keep(Retention.REGISTRATION),
                )
            )
            queue_mail(session, application, Template.WELCOME, row_id, key, requested_by="pigi")


def confirm_registration(
    application: Application, token: str, password: str, network: str, replaced: str = ""
) -> SignedIn:
    """Make the account and sign in. ``replaced`` is the cookie that the browser had; its session ends.

    Raises Refused: ``link_over``, also if the address got an account meanwhile; ``wrong_credentials``,
        ``too_many_tries``, ``unavailable``.
    """
    row = _find_registration(application, token)
    with credentials.hashing(application, CONFIRMATION, network, row.id) as tried:
        if not credentials.is_password(password, row.password_hash):
            raise Refused("wrong_credentials", detail=REGISTER_AGAIN)
        with application.control.begin() as session:
            account_id = add_account(
                session, application, row.name, row.email, row.password_hash, registration_id=row.id
            )
            session_token = start_session(session, application, account_id, replaced)
            found = find_account(session, account_id)
        tried.refund()
    return SignedIn(found, session_token)


def _find_registration(application: Application, token: str) -> Any:
    query = select(TABLE).where(TABLE.c.token_hash == token_hash(token), TABLE.c.expires_at > now())
    with application.control.read() as session:
        row = session.execute(query).first() if is_token(token) else None
    if row is None:
        raise Refused("link_over")
    return row
