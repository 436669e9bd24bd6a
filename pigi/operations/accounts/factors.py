"""Where a second factor is asked for: at sign-in, and where a code stands for the password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.domain.access import OPERATOR, Person
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.operations.audit import record
from pigi.operations.credentials import RECOVERY, Proof, has_factor, spend_code
from pigi.operations.mail import queue_mail

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.store.sessions import ControlSession


def pass_factor(session: ControlSession, application: Application, row: Any, code: str | None) -> None:
    """Let the account ``row`` pass, with a code if it has a second factor, in the transaction that holds its row.

    Raises Refused: ``second_factor_needed``, ``wrong_code``.
    """
    if not has_factor(session, row.id):
        return
    if code is None:
        raise Refused("second_factor_needed")
    use_code(session, application, row, code)


def use_code(session: ControlSession, application: Application, row: Any, code: str) -> None:
    """Use a code of the account ``row`` up; of a recovery code its owner is told. Raises Refused ``wrong_code``."""
    if spend_code(session, application.keyring, row.id, code) is Proof.DEVICE:
        return
    left = session.scalar(select(func.count()).select_from(RECOVERY).where(RECOVERY.c.account_id == row.id)) or 0
    who = Person(row.id, "", operator=row.kind == OPERATOR).name
    record(session, application, "factor.recovery_code_used", who, subject=who, count=left)
    queue_mail(session, application, Template.RECOVERY_CODE_USED, row.id, row.email_key, requested_by=who)
