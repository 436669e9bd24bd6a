"""Operators: accounts apart from people's, made on the command line, that belong to no organisation (P19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.domain.access import OPERATOR, AccountState
from pigi.domain.addresses import AddressError, email_key, read_address
from pigi.domain.names import is_name
from pigi.errors import Refused
from pigi.operations import credentials
from pigi.operations.accounts import ACCOUNT, add_account, close_sessions
from pigi.operations.audit import CLI, record

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession


@dataclass(frozen=True, repr=False)
class OperatorView:
    """An operator; ``state`` is active or disabled."""

    id: str
    name: str
    email: str
    state: str
    created_at: datetime


def add_operator(application: Application, email: str, name: str, password: str) -> str:
    """Make an operator's account, which signs in like any other; its id.

    Raises Refused: ``invalid_address``, ``invalid_name``, ``password_weak``, ``address_taken`` if the address has an
        account, a person's or an operator's.
    """
    name = name.strip()
    try:
        email = read_address(email)
    except AddressError:
        raise Refused("invalid_address") from None
    if not is_name(name):
        raise Refused("invalid_name")
    hashed = credentials.new_hash(password, name, email)
    try:
        with application.control.begin() as session:
            account_id = add_account(session, application, name, email, hashed, operator=True)
            record(session, application, "operator.added", CLI, subject=f"operator:{account_id}")
    except Refused as refusal:
        if refusal.code != "link_over":
            raise
        raise Refused("address_taken") from None
    return account_id


def list_operators(application: Application) -> list[OperatorView]:
    """Every operator, the oldest first."""
    query = select(ACCOUNT).where(ACCOUNT.c.kind == OPERATOR).order_by(ACCOUNT.c.id)
    with application.control.read() as session:
        return [OperatorView(row.id, row.name, row.email, row.state, row.created_at) for row in session.execute(query)]


def operator_named(application: Application, email: str) -> str:
    """How an operator is named as who does something, ``operator:ID``, for acts on the command line.

    Raises Refused ``not_found`` if no operator who may sign in has the address.
    """
    found = next((one for one in list_operators(application) if email_key(one.email) == email_key(email)), None)
    if found is None or found.state != AccountState.ACTIVE:
        raise Refused("not_found")
    return f"operator:{found.id}"


def disable_operator(application: Application, email: str) -> str:
    """Keep an operator out from now on, ending all of their sessions; their id. Repeating it is harmless.

    Raises Refused ``not_found`` if no operator has the address.
    """
    with application.control.begin() as session:
        account_id = _set_state(session, application, email, AccountState.DISABLED, "operator.disabled")
        close_sessions(session, account_id)
    return account_id


def enable_operator(application: Application, email: str) -> str:
    """Let an operator sign in again, with the password that they had; their id. Repeating it is harmless.

    Raises Refused ``not_found`` if no operator has the address.
    """
    with application.control.begin() as session:
        return _set_state(session, application, email, AccountState.ACTIVE, "operator.enabled")


def _set_state(session: ControlSession, application: Application, email: str, state: str, act: str) -> str:
    """Bring an operator into a state, recording it if it is another one; their id."""
    own = (ACCOUNT.c.email_key == email_key(email)) & (ACCOUNT.c.kind == OPERATOR)
    row: Any = session.execute(select(ACCOUNT.c.id, ACCOUNT.c.state).where(own).with_for_update()).first()
    if row is None:
        raise Refused("not_found")
    if row.state != state:
        session.execute(update(ACCOUNT).where(ACCOUNT.c.id == row.id).values(state=state))
        record(session, application, act, CLI, subject=f"operator:{row.id}")
    return str(row.id)
