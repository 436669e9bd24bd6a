"""Counting what was wrong: how many wrong passwords and codes were given for an account, or an address, on a day.

It says nothing of who gave them, from where, or what they were. What is refused before it is looked at costs no write,
and is not counted. An address that nobody has is counted like any other, so that the answer takes as long.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pigi.clock import now
from pigi.errors import Refused
from pigi.store.engines import insert_into
from pigi.store.ledgers import FailedSignIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application

FAILED: Any = FailedSignIn.__table__
WRONG = {"wrong_credentials", "wrong_password", "wrong_code"}


@contextmanager
def counting_failures(application: Application, account_id: str | None, key: str = "") -> Iterator[None]:
    """Count what is refused within the block because it is wrong (`WRONG`), once the block's transactions are over.

    ``key`` is the address that was given, for which there may be no account.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code in WRONG:
            count_failure(application, account_id, key)
        raise


def count_failure(application: Application, account_id: str | None, key: str = "") -> None:
    """Count one more wrong password or code today (UTC), of an account or else of an address."""
    # Made for both, so that neither takes longer.
    unknown = application.keyring.digest("failed sign-in", key.encode())
    with application.control.autocommit() as connection:
        first = insert_into(connection, FAILED).values(subject=account_id or unknown, day=now().date(), count=1)
        keys = [FAILED.c.subject, FAILED.c.day]
        connection.execute(first.on_conflict_do_update(index_elements=keys, set_={"count": FAILED.c.count + 1}))
