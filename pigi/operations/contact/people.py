"""Tickets as data about a person: finding those that are theirs, and removing them with their account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from pigi.domain.addresses import email_key
from pigi.operations.contact.tickets import TABLE
from pigi.store.contact import SENDER
from pigi.store.sealing import SealBrokenError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.store.keyring import Keyring

BATCH = 500


def link_tickets(connection: Connection, keyring: Keyring, account_id: str, key: str) -> int:
    """Link tickets under an account's address to the account, for its owner's own copy and deletion; how many.

    ``key`` is the address as `email_key` has it; the account's owner has shown that it is theirs. Whoever filed them
    only typed it, so until then nothing follows from it. Addresses are sealed, so each is opened and compared: it is a
    matter of microseconds a ticket, and no hash of an address is kept for two years.
    """
    linked, last = 0, ""
    free = TABLE.c.account_id.is_(None)
    while True:
        query = select(TABLE.c.id, TABLE.c.sender).where(free, TABLE.c.id > last).order_by(TABLE.c.id).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return linked
        last = rows[-1].id
        found = [row.id for row in rows if _is_from(keyring, row.id, row.sender, key)]
        if found:
            theirs = update(TABLE).where(TABLE.c.id.in_(found), free)
            linked += int(connection.execute(theirs.values(account_id=account_id)).rowcount)


def remove_tickets(connection: Connection, keyring: Keyring, account_id: str, key: str) -> int:
    """Remove an account's tickets, those under its address among them; how many."""
    link_tickets(connection, keyring, account_id, key)
    return int(connection.execute(delete(TABLE).where(TABLE.c.account_id == account_id)).rowcount)


def _is_from(keyring: Keyring, ticket_id: str, sealed: bytes, key: str) -> bool:
    try:
        sender = json.loads(keyring.open(SENDER, ticket_id, sealed))
    except SealBrokenError:
        return False
    return email_key(sender["email"]) == key
