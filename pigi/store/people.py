"""Tables of the control database about people: accounts, sessions, memberships, invitations, keys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, LargeBinary, String, Text, bindparam, exists, false
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Recipient
from pigi.domain.retention import SESSION_AGE, Retention, cutoff
from pigi.store.base import ControlBase, contact, label, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
NAME = String(120)
ADDRESS = String(254)


class Account(ControlBase):
    """A person who signs in (P01: a name, an address, a password's hash), or an operator."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("tells people apart", Retention.ACCOUNT))
    kind: Mapped[str] = mapped_column(CODE, info=technical("person, operator or canary", Retention.ACCOUNT))
    name: Mapped[str] = mapped_column(
        NAME, info=contact("shown to other members", Retention.ACCOUNT, (Recipient.MAIL,))
    )
    email: Mapped[str] = mapped_column(
        ADDRESS, info=contact("signing in and mail", Retention.ACCOUNT, (Recipient.MAIL, Recipient.STRIPE))
    )
    email_key: Mapped[str] = mapped_column(
        ADDRESS, unique=True, info=contact("one account an address", Retention.ACCOUNT)
    )
    password_hash: Mapped[str] = mapped_column(String(255), info=secret("signing in", Retention.ACCOUNT))
    state: Mapped[str] = mapped_column(CODE, info=technical("whether it may sign in", Retention.ACCOUNT))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.ACCOUNT))
    password_changed_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.ACCOUNT))
    stops: Mapped[str | None] = mapped_column(
        String(120), info=technical("which uses of their data they stopped (P32)", Retention.ACCOUNT)
    )
    policy_seen: Mapped[int | None] = mapped_column(
        Integer, info=technical("the newest version of the policy whose notice they closed", Retention.ACCOUNT)
    )


class Registration(ControlBase):
    """A request for an account, until the link in the mail and the password come back."""

    __tablename__ = "registration"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names it", Retention.REGISTRATION))
    name: Mapped[str] = mapped_column(
        NAME, info=contact("the account's name", Retention.REGISTRATION, (Recipient.MAIL,))
    )
    email: Mapped[str] = mapped_column(
        ADDRESS, info=contact("confirming the address", Retention.REGISTRATION, (Recipient.MAIL,))
    )
    email_key: Mapped[str] = mapped_column(
        ADDRESS, index=True, info=contact("one account an address", Retention.REGISTRATION)
    )
    password_hash: Mapped[str] = mapped_column(String(255), info=secret("signing in", Retention.REGISTRATION))
    token_hash: Mapped[str] = mapped_column(
        String(64), unique=True, info=secret("checks the link", Retention.REGISTRATION)
    )
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.REGISTRATION))
    expires_at: Mapped[datetime] = mapped_column(Instant, info=technical("expiry", Retention.REGISTRATION))


class AccountToken(ControlBase):
    """A link that was mailed, for a new password or a new address; the row goes when it is used."""

    __tablename__ = "account_token"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names it", Retention.TOKEN))
    purpose: Mapped[str] = mapped_column(CODE, info=technical("what it allows", Retention.TOKEN))
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"),
        index=True,
        info=pseudonym("whose; unknown until the mail is written", Retention.TOKEN),
    )
    email: Mapped[str] = mapped_column(ADDRESS, info=contact("where the mail goes", Retention.TOKEN, (Recipient.MAIL,)))
    email_key: Mapped[str] = mapped_column(ADDRESS, index=True, info=contact("which account", Retention.TOKEN))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True, info=secret("checks the link", Retention.TOKEN))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.TOKEN))
    expires_at: Mapped[datetime] = mapped_column(Instant, info=technical("expiry", Retention.TOKEN))


class AddressUndo(ControlBase):
    """An address that an account had until it was changed: whoever reads its mail can bring it back for some days."""

    __tablename__ = "address_undo"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names it", Retention.ADDRESS_UNDO))
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=pseudonym("whose", Retention.ADDRESS_UNDO)
    )
    email: Mapped[str] = mapped_column(
        ADDRESS, info=contact("the address to bring back, and to tell", Retention.ADDRESS_UNDO, (Recipient.MAIL,))
    )
    email_key: Mapped[str] = mapped_column(
        ADDRESS, index=True, info=contact("finds it by its address", Retention.ADDRESS_UNDO)
    )
    token_hash: Mapped[str] = mapped_column(
        String(64), unique=True, info=secret("checks the link", Retention.ADDRESS_UNDO)
    )
    created_at: Mapped[datetime] = mapped_column(
        Instant, index=True, info=technical("when the address was changed", Retention.ADDRESS_UNDO)
    )
    expires_at: Mapped[datetime] = mapped_column(Instant, info=technical("expiry", Retention.ADDRESS_UNDO))


class Session(ControlBase):
    """A browser that is signed in; the row goes with log-out (P35)."""

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names it", Retention.SESSION))
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True, info=pseudonym("whose", Retention.SESSION)
    )
    token_hash: Mapped[str] = mapped_column(
        String(64), unique=True, info=secret("checks the cookie", Retention.SESSION)
    )
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.SESSION))
    seen_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("idle time", Retention.SESSION))
    confirmed_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("when the password was last given, for acts that ask for it", Retention.SESSION)
    )
    renewal_due: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info=technical("that its cookie gets another secret with the next request", Retention.SESSION),
    )
    csrf_hash: Mapped[str | None] = mapped_column(
        String(64), info=secret("checks the CSRF token, which stays when the secret changes", Retention.SESSION)
    )
    previous_hash: Mapped[str | None] = mapped_column(
        String(64), index=True, info=secret("checks a cookie that was on its way meanwhile", Retention.SESSION)
    )
    previous_until: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("until when it does", Retention.SESSION)
    )


DEVICE_SECRET = "second-factor"  # noqa: S105 - a use
"""The use for which the keyring seals what a device makes its codes from (`pigi.store.keyring.Keyring.seal`)."""


class SecondFactor(ControlBase):
    """A device whose codes are asked for besides the password, once one of them was given (``confirmed_at``)."""

    __tablename__ = "second_factor"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=pseudonym("whose", Retention.ACCOUNT)
    )
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=secret("what its codes are made from, sealed by the keyring", Retention.ACCOUNT)
    )
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.ACCOUNT))
    confirmed_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("since when it is asked for", Retention.ACCOUNT)
    )
    last_step: Mapped[int] = mapped_column(
        BigInteger, default=0, info=technical("that no code counts twice", Retention.ACCOUNT)
    )


HAS_FACTOR: Any = exists().where(SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None))
"""Whether signing in takes a second factor, of the account of an enclosing query."""


SESSION_IS_OPEN: Any = (Session.seen_at > bindparam("used_after")) & (Session.created_at > bindparam("opened_after"))
"""Whether a session is neither idle for too long nor too old, with the parameters of `session_is_open`."""


def session_is_open(moment: datetime) -> dict[str, datetime]:
    """The parameters of `SESSION_IS_OPEN` at a moment."""
    return {"used_after": cutoff(Retention.SESSION, moment), "opened_after": moment - SESSION_AGE}


class RecoveryCode(ControlBase):
    """A code that stands in for a lost device, once; the row goes when it is used."""

    __tablename__ = "recovery_code"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=pseudonym("whose", Retention.ACCOUNT)
    )
    code_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, info=secret("checks the code", Retention.ACCOUNT)
    )


class Membership(ControlBase):
    """A person's place in an organisation."""

    __tablename__ = "membership"

    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=pseudonym("where", Retention.MEMBERSHIP)
    )
    account_id: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
        info=pseudonym("who", Retention.MEMBERSHIP),
    )
    role: Mapped[str] = mapped_column(CODE, info=technical("what they may do", Retention.MEMBERSHIP))
    joined_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.MEMBERSHIP))


class Invitation(ControlBase):
    """An open invitation; the row goes when it is accepted, revoked or too old."""

    __tablename__ = "invitation"
    __table_args__ = (Index("uq_invitation_address", "organisation_id", "email_key", unique=True),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names it", Retention.INVITATION))
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), info=pseudonym("where to", Retention.INVITATION)
    )
    email: Mapped[str] = mapped_column(
        ADDRESS, info=contact("where the mail goes", Retention.INVITATION, (Recipient.MAIL,))
    )
    email_key: Mapped[str] = mapped_column(ADDRESS, info=contact("who may accept", Retention.INVITATION))
    role: Mapped[str] = mapped_column(CODE, info=technical("what they will be", Retention.INVITATION))
    invited_by: Mapped[str] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), info=pseudonym("who invited", Retention.INVITATION)
    )
    token_hash: Mapped[str] = mapped_column(
        String(64), unique=True, info=secret("checks the link", Retention.INVITATION)
    )
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.INVITATION))
    expires_at: Mapped[datetime] = mapped_column(Instant, info=technical("expiry", Retention.INVITATION))


class ApiKey(ControlBase):
    """A key that acts for one organisation; only a hash of its secret half is kept."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=pseudonym("names the key", Retention.ACCESS_KEY))
    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("whose key", Retention.ACCESS_KEY)
    )
    label: Mapped[str] = mapped_column(NAME, info=label("tells keys apart", Retention.ACCESS_KEY))
    scopes: Mapped[str] = mapped_column(Text, info=technical("what it may do", Retention.ACCESS_KEY))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, info=secret("checks the key", Retention.ACCESS_KEY))
    created_by: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="SET NULL"), info=pseudonym("who made it", Retention.ACCESS_KEY)
    )
    replaces: Mapped[str | None] = mapped_column(ID, info=technical("which key it follows", Retention.ACCESS_KEY))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.ACCESS_KEY))
    expires_at: Mapped[datetime] = mapped_column(
        Instant, index=True, info=technical("expiry (P20)", Retention.ACCESS_KEY)
    )
    revoked_at: Mapped[datetime | None] = mapped_column(
        Instant, index=True, info=technical("revocation", Retention.ACCESS_KEY)
    )
    last_used_on: Mapped[date | None] = mapped_column(Date, info=technical("which are unused", Retention.ACCESS_KEY))
    warned_days: Mapped[int | None] = mapped_column(
        Integer, info=technical("which warning of its end was mailed", Retention.ACCESS_KEY)
    )
    handed_to: Mapped[str | None] = mapped_column(
        ID, info=pseudonym("who answers for it in its maker's place", Retention.ACCESS_KEY)
    )
    settlement: Mapped[str | None] = mapped_column(
        ID, index=True, info=technical("with which others it was revoked or handed over", Retention.ACCESS_KEY)
    )
