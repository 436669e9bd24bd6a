"""Organisations: creating and renaming them, their members and invitations."""

from __future__ import annotations

from pigi.operations.organisations.closing import ClosingView, closing_organisations
from pigi.operations.organisations.invitations import (
    InvitationView,
    Newcomer,
    accept_invitation,
    invite,
    list_invitations,
    read_invitation,
    read_open_invitation,
    resend_invitation,
    revoke_invitation,
)
from pigi.operations.organisations.members import (
    MemberView,
    change_role,
    end_membership,
    list_members,
    member_names,
    read_member,
)
from pigi.operations.organisations.organisations import (
    OrganisationChange,
    OrganisationView,
    change_organisation,
    create_organisation,
    list_organisations,
    migrate_organisation,
    names_of,
    organisations_of,
    read_organisation,
    request_migrations,
)
from pigi.operations.organisations.oversight import OrganisationFigures, oversee_organisations
from pigi.operations.organisations.overview import oversee_organisation

__all__ = [
    "ClosingView",
    "InvitationView",
    "MemberView",
    "Newcomer",
    "OrganisationChange",
    "OrganisationFigures",
    "OrganisationView",
    "accept_invitation",
    "change_organisation",
    "change_role",
    "closing_organisations",
    "create_organisation",
    "end_membership",
    "invite",
    "list_invitations",
    "list_members",
    "list_organisations",
    "member_names",
    "migrate_organisation",
    "names_of",
    "organisations_of",
    "oversee_organisation",
    "oversee_organisations",
    "read_invitation",
    "read_member",
    "read_open_invitation",
    "read_organisation",
    "request_migrations",
    "resend_invitation",
    "revoke_invitation",
]
