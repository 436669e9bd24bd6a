"""What members are told of an organisation that its owners are deleting: nothing but that, and who can undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.access import OrganisationState, Role
from pigi.domain.retention import GRACE
from pigi.operations.access import ORGANISATION
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Person


@dataclass(frozen=True, repr=False)
class ClosingView:
    """An organisation that is being deleted, as members see it who may not restore it; ``owners`` are names."""

    id: str
    name: str
    restorable_until: datetime
    owners: tuple[str, ...]


def closing_organisations(application: Application, person: Person) -> list[ClosingView]:
    """Those that somebody belongs to and others may still restore; owners have `organisations_of`."""
    theirs = (
        select(ORGANISATION.c.id, ORGANISATION.c.name, ORGANISATION.c.deletion_at)
        .join(Membership, Membership.organisation_id == ORGANISATION.c.id)
        .where(
            Membership.account_id == person.account_id,
            Membership.role != Role.OWNER,
            ORGANISATION.c.state == OrganisationState.DELETING.value,
            ORGANISATION.c.deletion_at > now() - GRACE,
        )
        .order_by(ORGANISATION.c.id)
    )
    with application.control.read() as session:
        rows = session.execute(theirs).all()
        owners = (
            select(Membership.organisation_id, Account.name)
            .join(Account, Account.id == Membership.account_id)
            .where(Membership.role == Role.OWNER, Membership.organisation_id.in_([row.id for row in rows]))
            .order_by(Account.name)
        )
        named = session.execute(owners).all() if rows else []
    return [
        ClosingView(
            row.id, row.name, row.deletion_at + GRACE, tuple(one.name for one in named if one.organisation_id == row.id)
        )
        for row in rows
    ]
