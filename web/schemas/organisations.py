"""Organisations, their members and invitations, as they are sent and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from web.schemas import Asked, Id, Told
from web.texts import Email, Password, Title

RoleName = Literal["owner", "admin", "member"]


class OrganisationRequest(Asked):
    """Make an organisation, or give one another name."""

    name: Title


class Organisation(Told):
    """An organisation; ``role`` is the asker's in it, null for an API key.

    One that is being deleted is shown to its owners alone, who may restore it until ``purge_at``.
    """

    id: Id
    name: str
    role: RoleName | None
    created_at: datetime
    state: Literal["active", "deleting"]
    purge_at: datetime | None


class OrganisationList(Told):
    """The organisations that the asker belongs to, oldest first."""

    organisations: list[Organisation]


class Member(Told):
    """A member of an organisation."""

    account_id: Id
    name: str
    email: str
    role: RoleName
    joined_at: datetime


class MemberList(Told):
    """Members, the oldest account first; ``next`` is the path of the following page, null on the last."""

    members: list[Member]
    next: str | None


class RoleChange(Asked):
    """Make a member something else."""

    role: RoleName


class InvitationRequest(Asked):
    """Invite an address."""

    email: Email
    role: RoleName = "member"


class Invitation(Told):
    """An open invitation; ``created_at`` is when it was last sent, and ``invited_by`` who sent it then."""

    id: Id
    email: str
    role: RoleName
    invited_by: Id
    created_at: datetime
    expires_at: datetime


class InvitationList(Told):
    """Open invitations, newest first; ``next`` is the path of the following page, null on the last."""

    invitations: list[Invitation]
    next: str | None


class AcceptanceRequest(Asked):
    """Accept an invitation: with nothing when signed in, or with a name and a password to make an account."""

    name: Title | None = None
    password: Password | None = None


class Joined(Told):
    """Which organisation one belongs to now, and as what."""

    organisation_id: Id
    organisation_name: str
    role: RoleName
