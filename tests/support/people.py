"""People, their sessions and API keys, made as rows: what tests of access and of pages start from."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from sqlalchemy import delete, update

from pigi.clock import now
from pigi.domain.access import Role, Scope
from pigi.domain.addresses import email_key
from pigi.ids import new_id
from pigi.operations.accounts import csrf_token
from pigi.operations.accounts.sessions import SESSION as SESSIONS
from pigi.operations.accounts.sessions import open_session
from pigi.operations.api_keys.keys import PREFIX, _hashed
from pigi.operations.credentials import (
    ADDRESS,
    ADDRESS_UNDO,
    INVITATION,
    NEW_ADDRESS,
    NEW_PASSWORD,
    RESET,
    WELCOME,
    token_hash,
)
from pigi.operations.credentials.codes import STEP_SECONDS
from pigi.operations.credentials.passwords import hash_password
from pigi.store.people import (
    DEVICE_SECRET,
    Account,
    AccountToken,
    AddressUndo,
    ApiKey,
    Invitation,
    Membership,
    Registration,
    SecondFactor,
)
from web.http.auth import SESSION, XSRF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

NO_PASSWORD = "!"
"""No password has this hash."""
PASSWORD = "heron quay lantern 47 drift"
DEVICE = bytes(range(20))
"""The secret of every device in tests."""
PURPOSES = {RESET: NEW_PASSWORD, ADDRESS: NEW_ADDRESS}

_numbers = count(1)


@cache
def hashed(password: str = PASSWORD) -> str:
    """The hash of a password, made once a run, since it is slow by design."""
    return hash_password(password)


def an_address() -> str:
    """An e-mail address that nobody has yet (RFC 2606 keeps the domain out of the world)."""
    return f"person-{next(_numbers)}-{secrets.token_hex(3)}@example.com"


def make_account(
    application: Application,
    name: str = "Ada Lund",
    email: str = "",
    *,
    operator: bool = False,
    password_hash: str = NO_PASSWORD,
    state: str = "active",
    factor: bool | None = None,
) -> str:
    """An account that may sign in, with a second factor (`code_of`) if it is an operator's or asked for; its id."""
    account_id, moment, email = new_id(), now(), email or an_address()
    with application.control.begin() as session:
        session.add(
            Account(
                id=account_id,
                kind="operator" if operator else "person",
                name=name,
                email=email,
                email_key=email_key(email),
                password_hash=password_hash,
                state=state,
                created_at=moment,
                password_changed_at=moment,
            )
        )
    if operator if factor is None else factor:
        give_factor(application, account_id)
    return account_id


def give_factor(application: Application, account_id: str) -> None:
    """A second factor whose device makes `code_of`; none of its codes was used."""
    sealed, moment = application.keyring.seal(DEVICE_SECRET, account_id, DEVICE), now()
    with application.control.begin() as session:
        session.add(SecondFactor(account_id=account_id, sealed=sealed, created_at=moment, confirmed_at=moment))


def code_of(later: int = 0, secret: bytes = DEVICE) -> str:
    """What the device shows now, or so many steps of half a minute later."""
    step = int(now().timestamp()) // STEP_SECONDS + later
    return HOTP(secret, 6, SHA1()).generate(step).decode()  # noqa: S303 - as devices do


def join(application: Application, organisation_id: str, account_id: str, role: Role = Role.MEMBER) -> None:
    """Make an account a member."""
    with application.control.begin() as session:
        row = Membership(organisation_id=organisation_id, account_id=account_id, role=role, joined_at=now())
        session.add(row)


def leave(application: Application, organisation_id: str, account_id: str) -> None:
    """Take an account's membership away, if it still has it."""
    with application.control.begin() as session:
        of_account = (Membership.organisation_id == organisation_id) & (Membership.account_id == account_id)
        session.execute(delete(Membership).where(of_account))


def make_member(application: Application, organisation_id: str, role: Role = Role.MEMBER, **facts: str) -> str:
    """A new account that is a member; its id."""
    account_id = make_account(application, **facts)
    join(application, organisation_id, account_id, role)
    return account_id


def make_session(application: Application, account_id: str, *, confirmed: bool = True) -> str:
    """A session of an account, as signing in opens it, its password given once more or not; what its cookie holds."""
    with application.control.begin() as session:
        session_id, token = open_session(session, account_id)
        if confirmed:
            session.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(confirmed_at=now()))
        return token


def make_way_back(application: Application, account_id: str = "") -> str:
    """A link that was mailed to an old address of an account; its token."""
    row_id, moment, email = new_id(), now(), an_address()
    token = application.keyring.token(ADDRESS_UNDO, row_id)
    with application.control.begin() as session:
        session.add(
            AddressUndo(
                id=row_id,
                account_id=account_id or make_account(application),
                email=email,
                email_key=email_key(email),
                token_hash=token_hash(token),
                created_at=moment,
                expires_at=moment + timedelta(days=7),
            )
        )
    return token


def browser(app: Flask, token: str, *, csrf: str | None = None) -> Client:
    """A client with a session's cookies, that sends its CSRF token with everything, or ``csrf`` instead."""
    client = app.test_client()
    client.set_cookie(SESSION, token)
    client.set_cookie(XSRF, csrf_token(token))
    client.environ_base["HTTP_X_XSRF_TOKEN"] = csrf_token(token) if csrf is None else csrf
    return client


def sign_in(app: Flask, application: Application, account_id: str) -> Client:
    """A browser in which that account is signed in."""
    return browser(app, make_session(application, account_id))


def make_key(
    application: Application,
    organisation_id: str,
    scopes: Iterable[Scope] = Scope,
    *,
    days: float = 30,
    revoked: bool = False,
) -> str:
    """An API key with these scopes, made as a row, so that it may be over already; what its holder sends."""
    return make_key_row(application, organisation_id, scopes, days=days, revoked=revoked)[1]


def make_key_row(
    application: Application,
    organisation_id: str,
    scopes: Iterable[Scope] = Scope,
    *,
    days: float = 30,
    revoked: bool = False,
) -> tuple[str, str]:
    """As `make_key`: its id and what its holder sends."""
    key_id, secret, moment = new_id(), secrets.token_urlsafe(32), now()
    with application.control.begin() as session:
        session.add(
            ApiKey(
                id=key_id,
                organisation_id=organisation_id,
                label="tests",
                scopes=" ".join(scopes),
                secret_hash=_hashed(secret),
                created_at=moment,
                expires_at=moment + timedelta(days=days),
                revoked_at=moment if revoked else None,
            )
        )
    return key_id, f"{PREFIX}_{uuid.UUID(key_id).hex}_{secret}"


def make_invitation(
    application: Application, organisation_id: str, invited_by: str, email: str = "", role: Role = Role.MEMBER
) -> tuple[str, str]:
    """An open invitation, without its mail: its id and the token of its link."""
    invitation_id, moment, email = new_id(), now(), email or an_address()
    token = application.keyring.token(INVITATION, invitation_id)
    with application.control.begin() as session:
        session.add(
            Invitation(
                id=invitation_id,
                organisation_id=organisation_id,
                email=email,
                email_key=email_key(email),
                role=role,
                invited_by=invited_by,
                token_hash=token_hash(token),
                created_at=moment,
                expires_at=moment + timedelta(days=14),
            )
        )
    return invitation_id, token


def make_registration(application: Application, email: str = "", password_hash: str = "") -> str:
    """A registration that waits to be confirmed with `PASSWORD`; the token of its link."""
    row_id, moment, email = new_id(), now(), email or an_address()
    token = application.keyring.token(WELCOME, row_id)
    with application.control.begin() as session:
        session.add(
            Registration(
                id=row_id,
                name="Rita Registered",
                email=email,
                email_key=email_key(email),
                password_hash=password_hash or hashed(),
                token_hash=token_hash(token),
                created_at=moment,
                expires_at=moment + timedelta(hours=24),
            )
        )
    return token


def make_account_token(application: Application, use: str, account_id: str = "", email: str = "") -> str:
    """A mailed link for a new password or a new address (`RESET`, `ADDRESS`), of an account; its token."""
    known, row_id, moment = an_address(), new_id(), now()
    account_id = account_id or make_account(application, email=known, password_hash=hashed())
    email = email or (known if use == RESET else an_address())
    token = application.keyring.token(use, row_id)
    with application.control.begin() as session:
        session.add(
            AccountToken(
                id=row_id,
                purpose=PURPOSES[use],
                account_id=account_id,
                email=email,
                email_key=email_key(email),
                token_hash=token_hash(token),
                created_at=moment,
                expires_at=moment + timedelta(hours=1),
            )
        )
    return token
