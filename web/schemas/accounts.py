"""People's own accounts and sessions, as they are sent and shown."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from pigi.domain.passwords import LONGEST, SHORTEST
from web.schemas import Asked, Id, Told
from web.schemas.organisations import RoleName
from web.texts import Email, Password, Title

CHOSEN = (
    f"{SHORTEST} to {LONGEST} characters, none of them required, and not among the passwords that attackers try "
    "first. Kept as an Argon2id hash."
)


class RegistrationRequest(Asked):
    """Wish for an account. Pigi asks for no other personal data."""

    name: Title
    email: Email
    password: Password = Field(repr=False, description=CHOSEN)


class PasswordRequest(Asked):
    """The password of a registration."""

    password: Password = Field(repr=False)


class NewPasswordRequest(Asked):
    """A new password."""

    password: Password = Field(repr=False, description=CHOSEN)


class SignInRequest(Asked):
    """Sign in."""

    email: Email
    password: Password = Field(repr=False)


class ResetRequest(Asked):
    """Ask for a link that sets a new password."""

    email: Email


class AccountChange(Asked):
    """What to change; whatever is left out stays. Address and password need the current password."""

    name: Title | None = None
    email: Email | None = Field(None, description="Counts once the link that is mailed there is used.")
    new_password: Password | None = Field(None, repr=False, description=CHOSEN)
    password: Password | None = Field(None, repr=False, description="The current one.")


class MailAnnounced(Told):
    """What happens next. It says nothing about the address."""

    message: str


class Account(Told):
    """One's own account; ``new_email`` is an address that waits to be confirmed."""

    id: Id
    name: str
    email: str
    operator: bool
    created_at: datetime
    password_changed_at: datetime
    new_email: str | None


class SessionOpened(Told):
    """Who is signed in now. The session is in the cookies."""

    account: Account


class OwnMembership(Told):
    """An organisation that one belongs to, and as what."""

    organisation_id: Id
    name: str
    role: RoleName


class Session(Told):
    """Who is signed in, and where they belong."""

    account: Account
    memberships: list[OwnMembership]
