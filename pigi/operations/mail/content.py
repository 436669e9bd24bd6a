"""The content of one mail, and how what it is about is found; whatever has gone meanwhile makes the mail moot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select

from pigi.domain.access import SIGNS_IN
from pigi.errors import Permanent
from pigi.store.control import Organisation
from pigi.store.people import Account

if TYPE_CHECKING:
    from pigi.domain.mail import Template
    from pigi.store.sessions import ControlSession


@dataclass(frozen=True, repr=False)
class MailContent:
    """The template of a letter, its recipient and the values to fill it with; links are paths of the public address."""

    template: Template
    recipient: str
    facts: dict[str, object] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def account_row(session: ControlSession, *where: ColumnElement[bool]) -> Any:
    """An account that can be signed in to; None if there is none."""
    return session.scalar(select(Account).where(*where, Account.state.in_(SIGNS_IN)))


def organisation_name(session: ControlSession, organisation_id: str) -> str:
    """The name of an active organisation; raises Permanent ``mail_moot``."""
    where = (Organisation.id == organisation_id, Organisation.state == "active")
    return str(required(session.scalar(select(Organisation.name).where(*where))))


def required(found: Any) -> Any:
    """What was found; raises Permanent ``mail_moot`` for nothing."""
    if found is None:
        raise Permanent("mail_moot")
    return found
