"""How an account is deleted for good once its grace is over (P30): its seal, and what each step removes.

What somebody made for an organisation is the organisation's and stays; that they made it goes, and a former member is
what remains of the author.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, tuple_, update

from pigi.clock import now
from pigi.domain.access import AccountState, KeyFate, Role
from pigi.domain.canary import NAME as CANARY
from pigi.domain.deletions import DeletionScope, DeletionState, Place
from pigi.errors import Temporary
from pigi.ids import new_id
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.kinds import PURGE_ACCOUNT
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import hold_organisation
from pigi.operations.accounts import ACCOUNT
from pigi.operations.api_keys import settle_keys
from pigi.operations.audit import CONTENT, erase_content, record
from pigi.operations.billing import contact_changed
from pigi.operations.contact import remove_tickets
from pigi.operations.deletion.machine import Plan, Sealing, carry_out
from pigi.operations.deletion.records import DELETION
from pigi.operations.deletion.steps import Outside, Rows, Together
from pigi.operations.idempotency import TABLE as IDEMPOTENCY
from pigi.operations.mail import address_hashes
from pigi.operations.retention import BATCH
from pigi.store.erasures import ErasureLog
from pigi.store.exports import Export
from pigi.store.ledgers import FailedSignIn, Mail
from pigi.store.people import (
    AccountToken,
    AddressUndo,
    ApiKey,
    Invitation,
    Membership,
    RecoveryCode,
    Registration,
    SecondFactor,
    Session,
)
from pigi.store.policy import PolicyNotice
from pigi.store.privacy_requests import PrivacyRequest
from pigi.store.tenant import Import, Project, ResourceRevision
from pigi.store.tenants import TenantMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.operations.deletion.steps import Step, Work
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlSession

    Emptying = Iterator[tuple[Any, ColumnElement[bool]]]

FORMER = "former member"
"""Stands where an account's pseudonym stood."""
AUTHORS: tuple[Any, ...] = (
    ResourceRevision.__table__.c.author,
    Project.__table__.c.created_by,
    Import.__table__.c.requested_by,
)
"""Where organisations' databases name who did something."""
REQUESTERS: tuple[Any, ...] = (JOB.c.requested_by, Export.__table__.c.requested_by)
MEMBERSHIP: Any = Membership.__table__
INVITATION: Any = Invitation.__table__
KEY: Any = ApiKey.__table__
MAIL: Any = Mail.__table__


def purge_account(context: JobContext, application: Application, gateways: Gateways) -> None:
    """Bring an account's deletion to its end; the job is about the deletion. Raises as `carry_out`."""
    carry_out(context, application, gateways, PLAN)


def _seal(session: ControlSession, _application: Application, row: Any) -> Sealing | None:
    """None while an organisation that goes along is not sealed: its owner must hear of its receipt too.

    The accounts of people come again with the sweep of the next hour. Of the canary it raises ``deletion_waiting``:
    its two begin together, and are looked at within minutes.
    """
    connection = session.connection()
    along = (DELETION.c.part_of == row.id) & (DELETION.c.state == DeletionState.GRACE.value)
    if connection.execute(select(DELETION.c.id).where(along).limit(1)).first() is not None:
        if row.requested_by == CANARY:
            raise Temporary("deletion_waiting")
        return None
    deleting = (ACCOUNT.c.id == row.subject_id) & (ACCOUNT.c.state == AccountState.DELETING.value)
    sealed = update(ACCOUNT).where(deleting).values(state=AccountState.PURGING.value)
    account = connection.execute(sealed.returning(ACCOUNT.c.email, ACCOUNT.c.email_key)).first()
    if account is None:
        return None
    places = tuple(_organisations(connection, row.subject_id))
    return Sealing({new_id(): account.email}, (account.email_key,), places)


def _is_quiet(_connection: Connection, _account_id: str) -> bool:
    """No job is an account's own: those that it requested are organisations', and go on."""
    return True


def _me(work: Work) -> str:
    return f"account:{work.subject_id}"


def _email_key(connection: Connection, account_id: str) -> str:
    found: str | None = connection.execute(select(ACCOUNT.c.email_key).where(ACCOUNT.c.id == account_id)).scalar()
    return found or ""


def _organisations(connection: Connection, account_id: str) -> list[str]:
    """Where the account is a member, or was as far as anybody still knows."""
    name = f"account:{account_id}"
    told = select(CONTENT.c.organisation_id).where(
        CONTENT.c.organisation_id.is_not(None), or_(CONTENT.c.actor == name, CONTENT.c.subject == name)
    )
    member = select(MEMBERSHIP.c.organisation_id).where(MEMBERSHIP.c.account_id == account_id)
    return sorted({*connection.execute(told.distinct()).scalars(), *connection.execute(member).scalars()})


def _their_organisations(work: Work) -> list[str]:
    with work.application.control.autocommit() as connection:
        return _organisations(connection, work.subject_id)


def _measure_authorship(work: Work) -> int:
    """How many rows of organisations' databases name the account."""
    named, isolation = 0, Isolation(PURGE_ACCOUNT.name)
    for organisation_id in _their_organisations(work):
        with (
            isolation.of(organisation_id),
            suppress(TenantMissingError),
            work.application.tenants.read(organisation_id) as tenant,
        ):
            for column in AUTHORS:
                query = select(func.count()).select_from(column.table).where(column == _me(work))
                named += tenant.connection().execute(query).scalar_one()
    if isolation.first is not None:
        raise isolation.first
    return named


def _remove_authorship(work: Work) -> None:
    """Batch by batch, since each holds up whoever writes there. An organisation that is away is tried again."""
    isolation = Isolation(PURGE_ACCOUNT.name)
    for organisation_id in _their_organisations(work):
        with isolation.of(organisation_id), suppress(TenantMissingError):
            for column in AUTHORS:
                while _rename(work, organisation_id, column) == BATCH:
                    work.context.checkpoint()
    if isolation.first is not None:
        raise isolation.first


def _rename(work: Work, organisation_id: str, column: Any) -> int:
    with work.application.tenants.session(organisation_id) as tenant:
        return _renamed(tenant.connection(), column, _me(work))


def _renamed(connection: Connection, column: Any, name: str) -> int:
    """Put `FORMER` in the place of ``name`` in a batch of rows; how many."""
    key = list(column.table.primary_key.columns)
    chosen = select(*key).where(column == name).limit(BATCH)
    which = key[0].in_(chosen) if len(key) == 1 else tuple_(*key).in_(chosen)
    return int(connection.execute(update(column.table).where(which).values({column.key: FORMER})).rowcount)


def _measure_requests(work: Work) -> int:
    with work.application.control.autocommit() as connection:
        counts = [select(func.count()).select_from(column.table).where(column == _me(work)) for column in REQUESTERS]
        return sum(connection.execute(count).scalar_one() for count in counts)


def _remove_requests(work: Work) -> None:
    for column in REQUESTERS:
        removed = BATCH
        while removed == BATCH:
            work.context.checkpoint()
            with work.application.control.transaction() as connection:
                removed = _renamed(connection, column, _me(work))
    with work.application.control.transaction() as connection:
        connection.execute(update(DELETION).where(DELETION.c.requested_by == _me(work)).values(requested_by=None))


def _folder(work: Work) -> str:
    return f"accounts/{work.subject_id}"


def _measure_files(work: Work) -> int:
    return sum(1 for _found in work.application.files.find(_folder(work)))


def _remove_files(work: Work) -> None:
    work.application.files.remove(_folder(work))


def _remove_memberships(session: ControlSession, work: Work) -> int:
    """The places, invitations by it and to it; where an owner goes, Stripe is told whom to write to."""
    connection, removed = session.connection(), 0
    mine = select(MEMBERSHIP.c.organisation_id, MEMBERSHIP.c.role).where(MEMBERSHIP.c.account_id == work.subject_id)
    for row in connection.execute(mine.order_by(MEMBERSHIP.c.organisation_id)).all():
        held = hold_organisation(session, row.organisation_id)
        if held is not None and held.state == "active":
            # Keys of before this release, and of organisations that were restored without their maker.
            where, revoke = row.organisation_id, KeyFate.REVOKE
            settle_keys(session, work.application, "pigi", where, work.subject_id, role=None, fate=revoke)
        this = (MEMBERSHIP.c.organisation_id == row.organisation_id) & (MEMBERSHIP.c.account_id == work.subject_id)
        removed += connection.execute(delete(MEMBERSHIP).where(this)).rowcount
        if held is not None and held.state == "active" and row.role == Role.OWNER:
            contact_changed(session, work.application, row.organisation_id, "pigi")
    connection.execute(update(KEY).where(KEY.c.handed_to == work.subject_id).values(handed_to=None))
    to_it = INVITATION.c.email_key == _email_key(connection, work.subject_id)
    by_it = INVITATION.c.invited_by == work.subject_id
    return removed + int(connection.execute(delete(INVITATION).where(by_it | to_it)).rowcount)


def _remove_mails(session: ControlSession, work: Work) -> int:
    """What the ledger knows of mails to it; in an organisation's the mail stays, and to whom it went goes."""
    connection = session.connection()
    hashes = address_hashes(work.application, _email_key(connection, work.subject_id))
    ids = or_(MAIL.c.recipient_id == work.subject_id, MAIL.c.subject_id.in_((work.subject_id, work.deletion_id)))
    about = ids | MAIL.c.address_hash.in_(hashes)
    kept = update(MAIL).where(about, MAIL.c.organisation_id.is_not(None)).values(address_hash="", recipient_id=None)
    blanked = connection.execute(kept).rowcount
    return int(blanked + connection.execute(delete(MAIL).where(about, MAIL.c.organisation_id.is_(None))).rowcount)


def _remove_tickets(session: ControlSession, work: Work) -> int:
    connection = session.connection()
    key = _email_key(connection, work.subject_id)
    return remove_tickets(connection, work.application.keyring, work.subject_id, key)


def _sign_in(account_id: str) -> Emptying:
    key = select(ACCOUNT.c.email_key).where(ACCOUNT.c.id == account_id).scalar_subquery()
    yield Session.__table__, Session.__table__.c.account_id == account_id
    yield FailedSignIn.__table__, FailedSignIn.__table__.c.subject == account_id
    yield RecoveryCode.__table__, RecoveryCode.__table__.c.account_id == account_id
    yield SecondFactor.__table__, SecondFactor.__table__.c.account_id == account_id
    yield AccountToken.__table__, or_(AccountToken.account_id == account_id, AccountToken.email_key == key)
    yield AddressUndo.__table__, or_(AddressUndo.account_id == account_id, AddressUndo.email_key == key)
    yield Registration.__table__, Registration.__table__.c.email_key == key
    yield IDEMPOTENCY, IDEMPOTENCY.c.caller == f"account:{account_id}"
    yield Export.__table__, Export.__table__.c.account_id == account_id
    yield PolicyNotice.__table__, PolicyNotice.__table__.c.account_id == account_id
    asked = PrivacyRequest.__table__
    yield asked, or_(asked.c.account_id == account_id, asked.c.email_key == key)


def _remove_account(session: ControlSession, work: Work) -> int:
    """Erase what the audit chain tells of it, and remove its row, once no backup can bring it back."""
    erased = erase_content(session, work.application, account_id=work.subject_id)
    gone = session.connection().execute(delete(ACCOUNT).where(ACCOUNT.c.id == work.subject_id)).rowcount
    if not work.of_canary:
        record(session, work.application, "account.purged", "pigi", None, f"deletion:{work.deletion_id}")
    return erased + int(gone)


def _remember(work: Work) -> None:
    # A backup brings a canary back with its deletion under way, which ends it.
    if not work.of_canary:
        ErasureLog.from_settings(work.application.settings).add(DeletionScope.ACCOUNT, work.subject_id, now())


_BEFORE_ROW: tuple[Step, ...] = (
    Outside("files", Place.FILES, _measure_files, _remove_files),
    Outside("authorship", Place.DATABASE, _measure_authorship, _remove_authorship),
    Outside("requests", Place.JOBS, _measure_requests, _remove_requests),
    Rows("sign-in", Place.DATABASE, _sign_in, needs=("files",)),
    Together("mails", Place.MAILS, _remove_mails),
    Together("tickets", Place.DATABASE, _remove_tickets),
    # Last but one, since these tell where else to look.
    Together("memberships", Place.DATABASE, _remove_memberships, needs=("authorship", "mails")),
    Outside("erasure-log", Place.BACKUPS, lambda _work: 0, _remember),
)
STEPS: tuple[Step, ...] = (
    *_BEFORE_ROW,
    Together("account", Place.DATABASE, _remove_account, needs=tuple(step.name for step in _BEFORE_ROW)),
)
PLAN = Plan(DeletionScope.ACCOUNT, STEPS, _seal, _is_quiet)
