"""Organisations as operators see them: never what they keep, and nobody's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.access import Role
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.store.control import Organisation
from pigi.store.people import ApiKey, Membership

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application


@dataclass(frozen=True)
class Overseen:
    """An organisation in facts and counts: ``members`` of every role, ``api_keys`` that open something."""

    id: str
    name: str
    state: str
    created_at: datetime
    deletion_at: datetime | None
    second_factor: bool
    owners: int
    members: int
    api_keys: int


def oversee_organisation(application: Application, organisation_id: str) -> Overseen:
    """One organisation, for operators; raises Refused ``not_found``, also for Pigi's own."""
    members = select(func.count()).select_from(Membership).where(Membership.organisation_id == Organisation.id)
    keys = select(func.count()).select_from(ApiKey).where(ApiKey.organisation_id == Organisation.id)
    query = select(
        Organisation.id,
        Organisation.name,
        Organisation.state,
        Organisation.created_at,
        Organisation.deletion_at,
        Organisation.second_factor,
        members.where(Membership.role == Role.OWNER.value).scalar_subquery().label("owners"),
        members.scalar_subquery().label("members"),
        keys.where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now()).scalar_subquery().label("api_keys"),
    ).where(Organisation.id == organisation_id, Organisation.canary.is_(False))
    with application.control.read() as session:
        row: Any = session.execute(query).first() if is_id(organisation_id) else None
    if row is None:
        raise Refused("not_found")
    return Overseen(*row)
