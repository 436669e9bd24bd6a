"""The purge of an organisation once its grace period is over (P26): its customer at Stripe first, its own row last.

If Stripe prevents the first, all goes but the row and the customer's ID, and the rest is tried again.

Each step looks at what is there, so a purge that died goes on where it was, and none can be half done for ever.
The tables come from the models: one that names an organisation is emptied unless its columns say that it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, tuple_, update

from pigi.domain.access import OrganisationState
from pigi.domain.privacy import Erasure
from pigi.errors import Permanent, Temporary
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import ORGANISATION, hold_organisation
from pigi.operations.audit import CONTENT, erase_content, record
from pigi.operations.billing import ACCOUNT, provider_of, remove_customer
from pigi.operations.deletion.requests import is_customer, is_over
from pigi.operations.idempotency import TABLE as IDEMPOTENCY
from pigi.operations.retention import BATCH
from pigi.store.people import ApiKey
from pigi.store.schema import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement

    from pigi.application import Application
    from pigi.errors import PigiError
    from pigi.jobs.execution.context import JobContext
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlDatabase


KEY: Any = ApiKey.__table__


def _owned() -> tuple[Any, ...]:
    tables = [table for table in CONTROL.sorted_tables if "organisation_id" in table.c]
    kept = {table for table in tables if table.c.organisation_id.info["facts"].erasure is Erasure.KEPT}
    return tuple(table for table in reversed(tables) if table not in kept and table is not CONTENT)


OWNED = _owned()
"""Tables whose rows name an organisation, each before those that it refers to."""

HANDLED_ELSEWHERE: dict[str, str] = {
    "organisation": "removed last, since its row is what remembers the purge",
    "effect": "removed with its job",
    "audit_content": "erased with its salt, and the chain records how much (`pigi.operations.audit.chain`)",
    "audit_entry": "holds hashes whose content is erased",
    "audit_anchor": "holds hashes and signatures",
    "billing_event": "loses its customer with it, and is swept after 30 days",
    "billing_log": "kept, as the law asks (P27)",
    "billing_price": "Pigi's own",
    "billing_run": "Pigi's own",
    "idempotency_key": "removed with the API keys that sent it; those of people are swept after a day",
    "account": "of a person, who may belong elsewhere",
    "account_token": "of a person",
    "registration": "of a person",
    "session": "of a person",
    "throttle": "a keyed hash of a network or an address",
    "error_log": "names no organisation",
    "usage_daily": "counts without identities",
    "heartbeat": "Pigi's own",
    "deletion": "says no longer of whom once it is done, and is swept later",
    "deletion_step": "removed with its deletion",
    "receipt": "names nobody",
    "backup": "Pigi's own; the file is gone after its period",
}
"""The tables that are not in `OWNED`, and what becomes of their rows."""


def purge_organisation(context: JobContext, application: Application, gateways: Gateways) -> None:
    """Remove all of the organisation; one that was restored, or is gone already, is left alone.

    Raises as `remove_customer`, once all is gone but the id of the customer at Stripe: nobody's data waits for that.
    """
    organisation_id = context.subject_id
    if not _begin(application, organisation_id):
        return
    failure = _remove_customer(context, application, gateways, organisation_id)
    application.tenants.drop(organisation_id)
    removed = 0
    for count in _batches(application.control, organisation_id, context.job.job_id, keep_account=failure is not None):
        removed += count
        context.checkpoint()
        context.progress(removed, removed + BATCH, "purging")
    if failure is not None:
        raise failure
    _finish(application, organisation_id)


def _begin(application: Application, organisation_id: str) -> bool:
    """From here on there is no way back, whatever the clocks of others say; False if it must not be purged."""
    with application.control.begin() as session:
        held = hold_organisation(session, organisation_id)
        if held is None or held.deletion_at is None or not is_over(held):
            return False
        purging = {"state": OrganisationState.PURGING.value, "epoch": ORGANISATION.c.epoch + 1}
        deleting = (ORGANISATION.c.id == organisation_id) & (ORGANISATION.c.state == OrganisationState.DELETING.value)
        session.connection().execute(update(ORGANISATION).where(deleting).values(purging))
    return True


def _remove_customer(
    context: JobContext, application: Application, gateways: Gateways, organisation_id: str
) -> PigiError | None:
    """Remove the customer at Stripe; the failure that prevented it, if any."""
    with context.control.autocommit() as connection:
        if not is_customer(connection, organisation_id):
            return None
    try:
        remove_customer(context, application, provider_of(gateways), organisation_id)
    except (Temporary, Permanent) as failure:
        return failure
    return None


def _batches(control: ControlDatabase, organisation_id: str, own_job: str, *, keep_account: bool) -> Iterator[int]:
    mine = select("api-key:" + KEY.c.id).where(KEY.c.organisation_id == organisation_id)
    yield from _emptied(control, IDEMPOTENCY, IDEMPOTENCY.c.caller.in_(mine))
    # Pigi's own jobs about it, but for this one, which lives to say that it succeeded.
    about = JOB.c.organisation_id.is_(None) & (JOB.c.subject_id == organisation_id) & (JOB.c.id != own_job)
    yield from _emptied(control, JOB, about)
    for table in OWNED:
        if keep_account and table is ACCOUNT:
            continue
        yield from _emptied(control, table, table.c.organisation_id == organisation_id)


def _emptied(control: ControlDatabase, table: Any, rows: ColumnElement[bool]) -> Iterator[int]:
    """Remove rows batch by batch, in the order of their key, so that a log without an index is read but once."""
    last: Any = None
    while True:
        with control.transaction() as connection:
            removed: Sequence[Any] = connection.execute(_removal(table, rows, last)).scalars().all()
        if not removed:
            return
        yield len(removed)
        last = max(removed)


def _removal(table: Any, rows: ColumnElement[bool], last: Any) -> Any:
    key = list(table.primary_key.columns)
    chosen = select(*key).where(rows).order_by(*key).limit(BATCH)
    if len(key) > 1:
        return delete(table).where(tuple_(*key).in_(chosen)).returning(key[0])
    if last is not None:
        chosen = chosen.where(key[0] > last)
    return delete(table).where(key[0].in_(chosen)).returning(key[0])


def _finish(application: Application, organisation_id: str) -> None:
    """Erase what the audit chain tells of it, note that it was purged, and remove its row: together, or not at all."""
    with application.control.begin() as session:
        if hold_organisation(session, organisation_id) is None:
            return
        erase_content(session, application, organisation_id=organisation_id)
        session.connection().execute(delete(ORGANISATION).where(ORGANISATION.c.id == organisation_id))
        record(session, application, "organisation.purged", "pigi", None, f"organisation:{organisation_id}")
