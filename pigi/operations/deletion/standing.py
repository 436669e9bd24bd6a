"""How an organisation that is being deleted stands: its state, and its customer at Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.domain.subscriptions import ENDED, NONE
from pigi.operations.access import ORGANISATION
from pigi.operations.billing import find_account

if TYPE_CHECKING:
    from sqlalchemy import Connection


def is_customer(connection: Connection, organisation_id: str) -> bool:
    """Whether it has, or may have, a customer at Stripe."""
    account = find_account(connection, organisation_id)
    return account is not None and (account.customer_id is not None or account.intended_at is not None)


def pays(connection: Connection, organisation_id: str) -> bool:
    """Whether something can still be collected, as a purchase that was under way when the cancellation looked."""
    account = find_account(connection, organisation_id)
    return account is not None and account.status not in {NONE, *ENDED}


def state_of(connection: Connection, organisation_id: str) -> str | None:
    """The organisation's state; None if it is gone."""
    query = select(ORGANISATION.c.state).where(ORGANISATION.c.id == organisation_id)
    found: str | None = connection.execute(query).scalar()
    return found
