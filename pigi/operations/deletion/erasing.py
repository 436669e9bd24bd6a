"""Deletions that operators start for whoever asked by mail: with the same grace, mails and receipt as their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.domain.access import AccountState
from pigi.domain.audit import REASON_LENGTH
from pigi.domain.deletions import DeletionScope
from pigi.domain.limits import is_line
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.access import hold_organisation
from pigi.operations.accounts import ACCOUNT
from pigi.operations.audit import record
from pigi.operations.deletion.accounts import close_account
from pigi.operations.deletion.records import DeletionView, deletion_of
from pigi.operations.deletion.requests import close_for_deletion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.application import Application
    from pigi.store.sessions import ControlSession


def erase(  # noqa: PLR0913 - of whom, what with it, by whom and why
    application: Application, scope: DeletionScope, subject_id: str, by: str, reason: str, along: Sequence[str] = ()
) -> DeletionView:
    """Start the deletion of an organisation, or of an account with those organisations ``along`` that it alone owns.

    One that is under way already is left as it is.

    Raises Refused: ``not_found``; ``reason_required`` unless the reason is a line; ``sole_owner`` and ``invalid`` as
        `pigi.operations.deletion.accounts.delete_account`.
    """
    if not is_line(reason, REASON_LENGTH):
        raise Refused("reason_required")
    if not is_id(subject_id):
        raise Refused("not_found")
    with application.control.begin() as session:
        if scope is DeletionScope.ACCOUNT:
            _close_account(session, application, subject_id, along, by)
        elif hold_organisation(session, subject_id) is None:
            raise Refused("not_found")
        else:
            close_for_deletion(session, application, subject_id, by)
        where = subject_id if scope is DeletionScope.ORGANISATION else None
        record(session, application, "operator.deletion_started", by, where, f"{scope}:{subject_id}", reason=reason)
        found = deletion_of(session.connection(), scope, subject_id)
        if found is None:
            raise Refused("not_found")
    return found


def _close_account(
    session: ControlSession, application: Application, account_id: str, along: Sequence[str], by: str
) -> None:
    row = session.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id, ACCOUNT.c.kind == "person")).first()
    if row is None or row.state == AccountState.DISABLED:
        raise Refused("not_found")
    close_account(session, application, row, along, by)
