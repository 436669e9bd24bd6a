"""Links about an account that were mailed: for a new password, or to confirm a new address. Each works once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select

from pigi.clock import now
from pigi.domain.addresses import email_key
from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.tokens import ADDRESS, NEW_ADDRESS, NEW_PASSWORD, OLD_ADDRESS, RESET, is_token, token_hash
from pigi.store.people import AccountToken

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.store.sessions import ControlSession

TOKEN: Any = AccountToken.__table__
USES = {NEW_PASSWORD: RESET, NEW_ADDRESS: ADDRESS, OLD_ADDRESS: OLD_ADDRESS}
"""For what the keyring derives the token of a row with this purpose; the last is never mailed, nor asked for."""


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
    """End all mailed links of an account, also those that were asked for with its address alone."""
    own = TOKEN.c.account_id == account_id
    of_address = (TOKEN.c.purpose == NEW_PASSWORD) & (TOKEN.c.email_key == key)
    session.execute(delete(TOKEN).where(TOKEN.c.purpose != OLD_ADDRESS, or_(own, of_address)))
