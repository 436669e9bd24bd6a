"""How an organisation is deleted for good once its grace period is over (P26): its seal, and what each step removes.

The tables come from the models: one that names an organisation is emptied unless its columns say that it is kept. The
organisation's own row goes last: it is what lets its owners follow the purge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import DBAPIError

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.deletions import DeletionScope, Place
from pigi.domain.privacy import Erasure
from pigi.ids import new_id
from pigi.jobs.model.transitions import FLAG_CANCEL, IS_RUNNING, JOB, NOW
from pigi.operations.access import ORGANISATION, hold_organisation
from pigi.operations.audit import CONTENT, erase_content, record
from pigi.operations.billing import ACCOUNT, provider_of, remove_customer
from pigi.operations.deletion.letters import owners_of
from pigi.operations.deletion.machine import Plan, Sealing, carry_out
from pigi.operations.deletion.standing import is_customer
from pigi.operations.deletion.steps import Outside, Rows, Together
from pigi.operations.idempotency import TABLE as IDEMPOTENCY
from pigi.store.billing import BillingLink
from pigi.store.control import DataKey, Tombstone
from pigi.store.engines import lacks_table
from pigi.store.erasures import ErasureLog
from pigi.store.exports import Export
from pigi.store.holds import active_holds, lock_holds
from pigi.store.ledgers import ErrorLog, Mail, RequestLog, UsageSignal
from pigi.store.people import ApiKey, Membership
from pigi.store.schema import CONTROL, TENANT
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.deletion.steps import Step, Work
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlSession

    Emptying = Iterator[tuple[Any, ColumnElement[bool]]]

KEY: Any = ApiKey.__table__
MEMBERSHIP: Any = Membership.__table__
ERROR: Any = ErrorLog.__table__
LOG: Any = RequestLog.__table__
MAIL: Any = Mail.__table__
EARLIER: dict[str, tuple[Any, ...]] = {
    "links": (Export.__table__,),
    "key": (DataKey.__table__,),
    "logs": (LOG, UsageSignal.__table__),
    "mails": (MAIL,),
    "jobs": (JOB, Tombstone.__table__),
    "billing": (ACCOUNT, BillingLink.__table__),
    "organisation": (MEMBERSHIP,),
}
"""Tables that have a step of their own; all others that name an organisation go in the step ``access``."""


def _owned() -> tuple[Any, ...]:
    tables = [table for table in CONTROL.sorted_tables if "organisation_id" in table.c]
    kept = {table for table in tables if table.c.organisation_id.info["facts"].erasure is Erasure.KEPT}
    return tuple(table for table in reversed(tables) if table not in kept and table is not CONTENT)


OWNED = _owned()
"""Tables whose rows name an organisation, each before those that it refers to."""

HANDLED_ELSEWHERE: dict[str, str] = {
    "organisation": "removed last, since its row is what lets owners follow the purge",
    "effect": "removed with its job",
    "audit_content": "erased with its salt, and the chain records how much (`pigi.operations.audit.chain`)",
    "audit_entry": "holds hashes whose content is erased",
    "audit_anchor": "holds hashes and signatures",
    "billing_event": "loses its customer with it, and is swept after 30 days",
    "billing_log": "kept, as the law asks (P27)",
    "billing_price": "Pigi's own",
    "billing_run": "Pigi's own",
    "idempotency_key": "removed with the API keys that sent it, and where it names the organisation",
    "account": "of a person, who may belong elsewhere",
    "account_token": "of a person",
    "address_undo": "of a person",
    "second_factor": "of a person",
    "recovery_code": "of a person",
    "registration": "of a person",
    "session": "of a person",
    "throttle": "a keyed hash of a network or an address",
    "failed_sign_in": "of a person, or a keyed hash of an address",
    "error_log": "removed where it names one of its jobs",
    "usage_daily": "counts without identities",
    "heartbeat": "Pigi's own",
    "deletion": "says no longer of whom once everything is gone, and is swept later",
    "deletion_step": "removed with its deletion",
    "receipt": "names nobody",
    "policy_version": "Pigi's own",
    "policy_notice": "a person's own, and goes with the account",
    "privacy_request": "a person's own, and no organisation's",
    "ticket": "a person's own, and no organisation's",
    "public_key": "Pigi's own",
    "provider_key": "Pigi's own",
    "evidence": "Pigi's own, about the installation",
    "promise_alarm": "Pigi's own, about the installation",
    "egress": "counts without identities",
    "backup": "Pigi's own; the file is gone after its period",
}
"""The tables that are not in `OWNED`, and what becomes of their rows."""


def purge_organisation(context: JobContext, application: Application, gateways: Gateways) -> None:
    """Bring an organisation's deletion to its end; the job is about the deletion. Raises as `carry_out`."""
    carry_out(context, application, gateways, PLAN)


def _seal(session: ControlSession, _application: Application, row: Any) -> Sealing | None:
    """From here on there is no way back, whatever the clocks of others say; None if it was restored, or is held."""
    where = row.subject_id
    organisation, connection = hold_organisation(session, where), session.connection()
    lock_holds(connection, shared=True)
    if organisation is None or organisation.state != OrganisationState.DELETING or active_holds(connection, where):
        return None
    purging = {"state": OrganisationState.PURGING.value, "epoch": ORGANISATION.c.epoch + 1}
    connection.execute(update(ORGANISATION).where(ORGANISATION.c.id == where).values(purging))
    jobs = connection.execute(select(JOB.c.id, JOB.c.state).where(_jobs_of(where))).all()
    for job in connection.execute(select(JOB.c.id).where(JOB.c.organisation_id == where, IS_RUNNING)).all():
        connection.execute(FLAG_CANCEL, {"job_id": job.id})
    keys: Sequence[str] = connection.execute(select(KEY.c.id).where(KEY.c.organisation_id == where)).scalars().all()
    recipients = {new_id(): address for address in owners_of(session, where).values()}
    return Sealing(recipients, (*(job.id for job in jobs), *keys))


def _is_quiet(connection: Connection, organisation_id: str) -> bool:
    """Whether no worker holds a job of it any more; the fence lets none take another."""
    at_work = (JOB.c.organisation_id == organisation_id) & IS_RUNNING & (JOB.c.lease_until > NOW)
    return connection.execute(select(JOB.c.id).where(at_work).limit(1)).first() is None


def _jobs_of(organisation_id: str) -> ColumnElement[bool]:
    """Its jobs, and Pigi's own about it."""
    about: ColumnElement[bool] = JOB.c.organisation_id.is_(None) & (JOB.c.subject_id == organisation_id)
    return or_(JOB.c.organisation_id == organisation_id, about)


# What each step removes.


def _measure_subscription(work: Work) -> int:
    with work.application.control.autocommit() as connection:
        return int(is_customer(connection, work.subject_id))


def _remove_subscription(work: Work) -> None:
    with work.application.control.autocommit() as connection:
        customer = is_customer(connection, work.subject_id)
    if customer:
        remove_customer(work.context, work.application, provider_of(work.gateways), work.subject_id)


def _folder(organisation_id: str) -> str:
    return f"organisations/{organisation_id}"


def _measure_files(work: Work) -> int:
    return sum(1 for _found in work.application.files.find(_folder(work.subject_id)))


def _remove_files(work: Work) -> None:
    work.application.files.remove(_folder(work.subject_id))


def _measure_database(work: Work) -> int:
    """Rows of all its tables; 0 if it is gone."""
    try:
        with work.application.tenants.read(work.subject_id) as session:
            return sum(_rows_of(session.connection(), table) for table in TENANT.sorted_tables)
    except TenantMissingError:
        return 0


def _rows_of(connection: Connection, table: Any) -> int:
    """0 for a table that a database which missed a release lacks."""
    try:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one())  # noqa: S608 - the model's own name
    except DBAPIError as error:
        if lacks_table(error):
            return 0
        raise


def _drop_database(work: Work) -> None:
    """Not before no backup can bring it back."""
    # A backup brings a canary back with its deletion under way, which ends it.
    if not work.of_canary:
        ErasureLog.from_settings(work.application.settings).add(DeletionScope.ORGANISATION, work.subject_id, now())
    work.application.tenants.drop(work.subject_id)


def _measure_messages(work: Work) -> int:
    return work.application.notifier.count_messages(set(work.identifiers))


def _remove_messages(work: Work) -> None:
    """After the jobs' rows: as long as these stand, the pump would notify of them again."""
    work.application.notifier.remove_messages(set(work.identifiers))


def _logs(organisation_id: str) -> Emptying:
    jobs = select(JOB.c.id).where(_jobs_of(organisation_id))
    yield ERROR, ERROR.c.job_id.in_(jobs)
    yield LOG, LOG.c.job_id.in_(jobs)
    yield from _tables("logs", organisation_id)


def _jobs(organisation_id: str) -> Emptying:
    yield JOB, _jobs_of(organisation_id)
    yield from _tables("jobs", organisation_id)


def _idempotency(organisation_id: str) -> Emptying:
    mine = select("api-key:" + KEY.c.id).where(KEY.c.organisation_id == organisation_id)
    yield IDEMPOTENCY, IDEMPOTENCY.c.caller.in_(mine)
    # Those of people go after a day, but may have been sent a moment ago.
    yield IDEMPOTENCY, IDEMPOTENCY.c.location.contains(organisation_id) | IDEMPOTENCY.c.answer.contains(organisation_id)


def _access(organisation_id: str) -> Emptying:
    earlier = {table for tables in EARLIER.values() for table in tables}
    yield from ((table, table.c.organisation_id == organisation_id) for table in OWNED if table not in earlier)


def _mails(organisation_id: str) -> Emptying:
    yield from _tables("mails", organisation_id)
    # Those about dear acts there are Pigi's own, so that the deletion did not stop them.
    yield MAIL, MAIL.c.subject_id == organisation_id


def _of(step: str) -> Any:
    return lambda organisation_id: _tables(step, organisation_id)


def _tables(step: str, organisation_id: str) -> Emptying:
    """The step's tables, in the order of `OWNED`."""
    yield from ((table, table.c.organisation_id == organisation_id) for table in OWNED if table in EARLIER[step])


def _remove_organisation(session: ControlSession, work: Work) -> int:
    """Erase what the audit chain tells of it, and remove its members' places and its row: together, or not at all."""
    if hold_organisation(session, work.subject_id) is None:
        return 0
    erased = erase_content(session, work.application, organisation_id=work.subject_id)
    connection = session.connection()
    places = connection.execute(delete(MEMBERSHIP).where(MEMBERSHIP.c.organisation_id == work.subject_id)).rowcount
    connection.execute(delete(ORGANISATION).where(ORGANISATION.c.id == work.subject_id))
    if not work.of_canary:
        record(session, work.application, "organisation.purged", "pigi", None, f"deletion:{work.deletion_id}")
    return erased + int(places) + 1


_BEFORE_ROW: tuple[Step, ...] = (
    Outside("subscription", Place.BILLING, _measure_subscription, _remove_subscription),
    Rows("links", Place.DATABASE, _of("links")),
    Outside("files", Place.FILES, _measure_files, _remove_files),
    Outside("database", Place.DATABASE, _measure_database, _drop_database),
    Rows("key", Place.DATABASE, _of("key"), needs=("database",)),
    Rows("logs", Place.LOGS, _logs),
    Rows("mails", Place.MAILS, _mails),
    Rows("jobs", Place.JOBS, _jobs, needs=("logs",)),
    Outside("broker", Place.BROKER, _measure_messages, _remove_messages, needs=("jobs",)),
    Rows("idempotency", Place.DATABASE, _idempotency),
    # What can still be charged must not lose the name of whom it charges.
    Rows("billing", Place.BILLING, _of("billing"), needs=("subscription",)),
    Rows("access", Place.DATABASE, _access, needs=("idempotency",)),
)
STEPS: tuple[Step, ...] = (
    *_BEFORE_ROW,
    Together("organisation", Place.DATABASE, _remove_organisation, needs=tuple(step.name for step in _BEFORE_ROW)),
)
PLAN = Plan(DeletionScope.ORGANISATION, STEPS, _seal, _is_quiet)
