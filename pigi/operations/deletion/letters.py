"""Mails about a deletion: that it began, that it becomes final soon, and where its receipt is.

They are between Pigi and people, since an organisation that is closed sends none; no row of theirs names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.domain.access import AccountState, Role
from pigi.domain.addresses import email_key
from pigi.domain.mail import Template
from pigi.operations.mail import queue_mail
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.application import Application
    from pigi.store.sessions import ControlSession


def write_to_owners(
    session: ControlSession, application: Application, template: Template, deletion_id: str, organisation_id: str
) -> None:
    """Queue a mail about the deletion of an organisation to each of its owners."""
    for account_id, address in owners_of(session, organisation_id).items():
        queue_mail(session, application, template, deletion_id, email_key(address), recipient_id=account_id)


def write_to_account(
    session: ControlSession, application: Application, template: Template, deletion_id: str, account_id: str
) -> None:
    """Queue a mail about the deletion of an account to its owner."""
    address = session.scalar(select(Account.email_key).where(Account.id == account_id))
    if address is not None:
        queue_mail(session, application, template, deletion_id, address, recipient_id=account_id)


def queue_receipts(
    session: ControlSession, application: Application, deletion_id: str, recipients: Mapping[str, str]
) -> None:
    """Queue the mail with the receipt's link to each address, which the deletion alone still knows."""
    for recipient_id, address in recipients.items():
        queue_mail(
            session,
            application,
            Template.DELETION_RECEIPT,
            deletion_id,
            email_key(address),
            recipient_id=recipient_id,
        )


def owners_of(session: ControlSession, organisation_id: str) -> dict[str, str]:
    """The addresses of the organisation's owners, by account."""
    owners = (
        select(Account.id, Account.email)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == Role.OWNER.value,
            Account.state != AccountState.DISABLED,
        )
        .order_by(Account.id)
    )
    return {row.id: row.email for row in session.execute(owners)}
