"""Deletions for tests: an organisation with a row of each sort, its end as of today, and who still names it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, func, insert, or_, select, update

from pigi.clock import now
from pigi.domain.access import Caller, Role
from pigi.domain.retention import GRACE
from pigi.ids import new_id
from pigi.jobs.kinds import PURGE_ORGANISATION
from pigi.operations.billing import request_portal
from pigi.operations.deletion import delete_organisation
from pigi.store.base import ControlBase
from pigi.store.control import IdempotencyKey, Organisation, Tombstone, UsageCount
from pigi.store.deletions import Deletion
from pigi.store.exports import Export
from pigi.store.ledgers import RequestLog, UsageSignal
from pigi.store.records import Hold
from tests.support.furnished import furnish
from tests.support.jobs import ask

if TYPE_CHECKING:
    from tests.support.billing import Shop

LOG = {"at": now(), "request_id": "0123-abcd", "method": "GET", "route": "/", "status": 200, "ms": 1.0}


def full(shop: Shop, name: str) -> Caller:
    """An organisation with a row in every table that names one, and a subscription; its owner."""
    furnished = furnish(shop.application, name)
    owner = Caller(furnished.organisation, Role.OWNER, furnished.owner, confirmed=True)
    shop.stripe.pay(shop.session(owner, shop.checkout(owner)))
    shop.hear()
    shop.do(request_portal(shop.application, owner).id)
    where, moment = furnished.organisation, now()
    counted = {"day": moment.date(), "kind": "tests", "count": 1}
    stone = {"kind": "x", "state": "failed", "attempt": 1, "created_at": moment, "buried_at": moment}
    answered = {"body_hash": "b", "token": new_id(), "created_at": moment}
    with shop.control.transaction() as connection:
        connection.execute(insert(RequestLog), [{**LOG, "organisation_id": where}] * 3)
        connection.execute(insert(UsageSignal), {"at": moment, "event": "x", "organisation_id": where})
        connection.execute(insert(UsageCount), {**counted, "organisation_id": where})
        connection.execute(insert(Tombstone), {**stone, "id": new_id(), "organisation_id": where})
        export = {"scope": "configuration", "job_id": new_id(), "requested_by": owner.name, "state": "expired"}
        connection.execute(insert(Export), {**export, "id": new_id(), "organisation_id": where, "created_at": moment})
        hold = {"retention": "job", "reason": "a dispute", "review_on": moment.date(), "added_by": "operator:cli"}
        times = {"added_at": moment, "approved_at": moment, "released_at": moment}
        connection.execute(insert(Hold), {**hold, **times, "id": new_id(), "organisation_id": where})
        key = {"caller": f"api-key:{furnished.key}", "key_hash": new_id()}
        connection.execute(insert(IdempotencyKey), {**answered, **key})
    return owner


def due(shop: Shop, owner: Caller) -> None:
    """Delete the organisation as of a week ago, its cancellation at Stripe done."""
    shop.do(delete_organisation(shop.application, owner).id)
    lapse(shop, owner)


def lapse(shop: Shop, owner: Caller) -> None:
    """Make its deletion look as if it had been requested a week and a minute ago."""
    with shop.control.autocommit() as connection:
        long_ago = now() - GRACE - timedelta(minutes=1)
        connection.execute(
            update(Organisation).where(Organisation.id == owner.organisation_id).values(deletion_at=long_ago)
        )
        ended = {"requested_at": long_ago, "restorable_until": long_ago + GRACE}
        connection.execute(update(Deletion).where(Deletion.subject_id == owner.organisation_id).values(ended))


def deletion_id(shop: Shop, owner: Caller) -> str:
    """The deletion that is under way for an organisation; one that nobody knows if there is none."""
    with shop.control.read() as session:
        return session.scalar(select(Deletion.id).where(Deletion.subject_id == owner.organisation_id)) or new_id()


def ask_purge(shop: Shop, owner: Caller) -> str:
    """Ask for its purge; the job's id."""
    return ask(shop.control, PURGE_ORGANISATION, subject_id=deletion_id(shop, owner))


def purge(shop: Shop, owner: Caller) -> Any:
    """Do a purge's job; its row then."""
    return shop.do(ask_purge(shop, owner))


def counts(shop: Shop) -> dict[str, int]:
    """Rows by table of the control database."""
    with shop.control.autocommit() as connection:
        tables = ControlBase.metadata.sorted_tables
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
        }


def mentions(shop: Shop, text: str) -> dict[str, int]:
    """Every table of the control database in which any column has ``text`` in it, with the number of its rows."""
    found: dict[str, int] = {}
    with shop.control.autocommit() as connection:
        for table in ControlBase.metadata.sorted_tables:
            columns = [column for column in table.c if isinstance(column.type, String)]
            if columns:
                has = or_(*(cast(column, String).contains(text) for column in columns))
                found[table.name] = connection.execute(select(func.count()).select_from(table).where(has)).scalar_one()
    return {name: rows for name, rows in found.items() if rows}
