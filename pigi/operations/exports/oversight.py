"""Exports that operators start (P28, P31, P34): each is audited, and delivered by mail to whom the data belongs.

The mail leads to the page in Pigi where they sign in and fetch the file; there is no secret in it. The operator gets
nothing of it, unless they take a copy, for a reason that stays in the audit chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, or_, select

from pigi.domain.access import OrganisationState, Role
from pigi.domain.addresses import email_key
from pigi.domain.audit import REASON_LENGTH
from pigi.domain.canary import KIND as CANARY
from pigi.domain.exports import ExportScope, ExportState
from pigi.domain.limits import is_line
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import JOB
from pigi.jobs.model.view import view_of as job_of
from pigi.operations.access import ORGANISATION, vouch_for
from pigi.operations.audit import record
from pigi.operations.exports.exports import EXPORT, add_export, view_of
from pigi.operations.mail import queue_mail
from pigi.store.files import aside
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.jobs.model.view import JobView
    from pigi.operations.exports.exports import ExportView, Owner
    from pigi.operations.exports.files import ExportFile
    from pigi.store.sessions import ControlSession

OPERATOR: Final = "operator:"


def start_export(  # noqa: PLR0913 - for whom, by whom and why
    application: Application,
    owner: Owner,
    by: str,
    reason: str,
    on_started: Callable[[ControlSession], None] | None = None,
    operator: Person | None = None,
) -> JobView:
    """Export an organisation's configuration, or what is held about a person, on their behalf, and tell them.

    ``operator`` is who is signed in; None on the command line.

    Raises Refused: ``not_found``, ``reason_required`` unless the reason is a line, ``confirmation_required``, and as
        `add_export`.
    """
    if not is_line(reason, REASON_LENGTH):
        raise Refused("reason_required")
    scope = ExportScope.CONFIGURATION if owner.organisation_id else ExportScope.ACCESS
    kind = CATALOGUE.get(f"exports.{scope}")
    if kind is None or not is_id(owner.id):
        raise Refused("not_found")
    with application.control.begin() as session:
        if operator is not None:
            vouch_for(session, operator)
        job = add_export(session, application, kind, scope, owner, by)
        _note(session, application, "operator.export_started", owner, by, reason, job.subject_id)
        if on_started is not None:
            on_started(session)
    return job


def take_copy(application: Application, file: ExportFile, path: Path, by: str, reason: str) -> None:
    """Write a copy of the file for an operator to ``path``, whole or not at all; audited before.

    Raises Refused ``reason_required``; FilesAwayError; OSError.
    """
    if not is_line(reason, REASON_LENGTH):
        raise Refused("reason_required")
    export = file.export
    with application.control.begin() as session:
        _note(session, application, "operator.export_copied", export.owner, by, reason, export.id)
    with aside(path) as draft, draft.open("wb") as stream:
        for piece in file.read(0, file.size):
            stream.write(piece)


def deliver(session: ControlSession, application: Application, export: ExportView) -> None:
    """Queue the mails that say where the file is, if an operator started its export: to be done as it becomes ready."""
    if not export.requested_by.startswith(OPERATOR):
        return
    for account_id, address in _recipients(session, export.owner).items():
        queue_mail(
            session,
            application,
            Template.EXPORT_READY,
            export.id,
            email_key(address),
            _open_organisation(session, export.owner),
            recipient_id=account_id,
        )


def _peoples() -> Any:
    """Exports that are not the canary's, which asks for its own each hour."""
    organisations = select(ORGANISATION.c.id).where(ORGANISATION.c.canary)
    accounts = select(Account.id).where(Account.kind == CANARY)
    return or_(EXPORT.c.organisation_id.is_(None), EXPORT.c.organisation_id.not_in(organisations)) & or_(
        EXPORT.c.account_id.is_(None), EXPORT.c.account_id.not_in(accounts)
    )


def list_started(application: Application, limit: int = 50) -> list[tuple[ExportView, JobView | None]]:
    """The newest exports, whoever requested them, each with its job as long as that is known."""
    query = select(EXPORT).where(_peoples()).order_by(EXPORT.c.id.desc()).limit(limit)
    with application.control.autocommit() as connection:
        found = [view_of(row) for row in connection.execute(query)]
    jobs = jobs_of(application, found)
    return [(export, jobs.get(export.job_id)) for export in found]


def jobs_of(application: Application, exports: Iterable[ExportView]) -> dict[str, JobView]:
    """The jobs that write these exports, by their ids, as long as they are known."""
    query = select(JOB).where(JOB.c.id.in_([export.job_id for export in exports]))
    with application.control.autocommit() as connection:
        return {row.id: job_of(row) for row in connection.execute(query)}


def count_preparing(application: Application) -> int:
    """How many exports are being written, or wait for it."""
    query = select(func.count()).select_from(EXPORT).where(EXPORT.c.state == ExportState.PREPARING.value, _peoples())
    with application.control.autocommit() as connection:
        return connection.execute(query).scalar_one()


def _note(  # noqa: PLR0913 - an act's facts
    session: ControlSession,
    application: Application,
    act: str,
    owner: Owner,
    by: str,
    reason: str,
    export_id: str | None,
) -> None:
    subject = f"organisation:{owner.id}" if owner.organisation_id else f"account:{owner.id}"
    record(session, application, act, by, owner.organisation_id, subject, export=export_id, reason=reason)


def _recipients(session: ControlSession, owner: Owner) -> dict[str, str]:
    """The addresses of those to whom the data belongs, by account."""
    people: Any = select(Account.id, Account.email).where(Account.state == "active")
    if owner.organisation_id:
        of_organisation = (Membership.organisation_id == owner.id) & (Membership.role == Role.OWNER.value)
        people = people.join(Membership, Membership.account_id == Account.id).where(of_organisation)
    else:
        people = people.where(Account.id == owner.id)
    return {row.id: row.email for row in session.execute(people)}


def _open_organisation(session: ControlSession, owner: Owner) -> str | None:
    """The organisation in whose ledger the mail stands; one in its grace period has no jobs, so Pigi itself writes."""
    active = ORGANISATION.c.id == owner.organisation_id, ORGANISATION.c.state == OrganisationState.ACTIVE.value
    found: str | None = session.execute(select(ORGANISATION.c.id).where(*active)).scalar()
    return found
