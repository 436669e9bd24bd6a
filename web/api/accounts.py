"""Accounts over HTTP: registering, changing one's own, resetting a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flask import request
from pydantic import Field

from pigi.domain.access import KeyFate
from pigi.domain.passwords import LONGEST, SHORTEST
from pigi.operations.accounts import (
    Change,
    change_account,
    confirm_address,
    confirm_registration,
    read_account,
    register,
    request_reset,
    reset_password,
    undo_address,
)
from pigi.operations.deletion import delete_account, restore_account
from web.api.sessions import Account, SessionOpened, account_facts, opened
from web.http.auth import SESSION as COOKIE
from web.http.auth import renewing
from web.http.replies import API, Reply, as_json, no_content, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel
from web.http.texts import Code, Email, Password, Title

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext

CHOSEN = (
    f"{SHORTEST} to {LONGEST} characters, none of them required, and not among the passwords that attackers try "
    "first. Kept as an Argon2id hash."
)


class RegistrationRequest(RequestModel):
    """Registration request. Pigi asks for no other personal data."""

    name: Title
    email: Email
    password: Password = Field(repr=False, description=CHOSEN)


class PasswordRequest(RequestModel):
    """The password of a registration."""

    password: Password = Field(repr=False)


class NewPasswordRequest(RequestModel):
    """A new password."""

    password: Password = Field(repr=False, description=CHOSEN)


class ResetRequest(RequestModel):
    """Ask for a link that sets a new password."""

    email: Email


class AccountChange(RequestModel):
    """What to change; whatever is left out stays. Address and password need the current password."""

    name: Title | None = None
    email: Email | None = Field(None, description="Counts once the link that is mailed there is used.")
    new_password: Password | None = Field(None, repr=False, description=CHOSEN)
    password: Password | None = Field(None, repr=False, description="The current one.")


class AddressConfirmation(RequestModel):
    """Besides the link: nothing in a browser that is signed in to the account, elsewhere the account's password."""

    password: Password | None = Field(None, repr=False)
    code: Code | None = Field(None, repr=False, description="Where there is a second factor.")


class DeletionRequest(RequestModel):
    """Delete one's own account, with the organisations that nobody else owns."""

    password: Password = Field(repr=False)
    organisations: list[Id] = Field(
        default_factory=list, max_length=1000, description="Those of which one is the only owner; deleted too."
    )
    api_keys: Literal["revoke", "hand_over"] = Field(
        "revoke",
        description="What becomes of the API keys that one answers for in organisations that go on: revoked for good, "
        "or handed over to the longest-standing other owner.",
    )


class MailAnnounced(ResponseModel):
    """What happens next. It says nothing about the address."""

    message: str


REGISTRATION_ANNOUNCED = "A mail is on its way to this address. Its link works for 24 hours and asks for the password."


def register_account(context: RequestContext) -> Reply:
    """Ask for an account. The answer is the same whether or not the address has one; the mail is not."""
    body = read_body(RegistrationRequest)
    register(context.application, body.name, body.email, body.password, context.network)
    return reply(as_json({"message": REGISTRATION_ANNOUNCED}), 202)


def confirm_account(context: RequestContext, token: str) -> Reply:
    """Make the account with the mailed link and the password, and sign in. Reading the link's page uses nothing up."""
    body = read_body(PasswordRequest)
    replaced = request.cookies.get(COOKIE, "")
    return opened(context, confirm_registration(context.application, token, body.password, context.network, replaced))


ME = f"{API}/me"


def show_me(context: AccountContext) -> Reply:
    """One's own account."""
    return reply(as_json(account_facts(read_account(context.application, context.account.account_id))))


def change_me(context: AccountContext) -> Reply:
    """Change one's name, password or address: all that is asked for, or nothing.

    A new password ends all other sessions. A new address is mailed a link and counts once that is used; the old
    one is told. The answer is the same whether or not the new address belongs to somebody.
    """
    body = read_body(AccountChange)
    change = Change(body.name, body.email, body.new_password, body.password)
    done = context.record if body.new_password is None else renewing(context, context.record)
    changed = change_account(context.application, context.account, change, context.network, done)
    return reply(as_json(account_facts(changed)))


def _without_passwords() -> bytes:
    return read_body(AccountChange).model_dump_json(exclude={"password", "new_password"}).encode()


def delete_me(context: AccountContext) -> Reply:
    """Delete one's own account. For 7 days signing in still works, and does nothing but restore it.

    An organisation that nobody else owns is handed over before, or named to be deleted along.
    """
    body = read_body(DeletionRequest)
    deleted = delete_account(
        context.application,
        context.account,
        body.password,
        body.organisations,
        context.network,
        context.record_accepted,
        keys=KeyFate(body.api_keys),
    )
    return reply(as_json(account_facts(deleted)), 202)


def _without_password() -> bytes:
    return read_body(DeletionRequest).model_dump_json(exclude={"password"}).encode()


def restore_me(context: AccountContext) -> Reply:
    """Undo the deletion of one's own account, and of the organisations that went with it."""
    read_body(Nothing)
    return reply(as_json(account_facts(restore_account(context.application, context.account, context.record))))


def _show_me(context: AccountContext, _location: str) -> Reply:
    return show_me(context)


def confirm_new_address(context: RequestContext, token: str) -> Reply:
    """Make the address that the link was mailed to one's own. All other sessions of the account end.

    The link alone is not enough: it takes the account's session, or its password. The old address is mailed a link
    that undoes it for 7 days.
    """
    body = read_body(AddressConfirmation)
    done = renewing(context, context.record)
    confirm_address(context.application, token, context.person, context.network, body.password, body.code, done)
    return no_content()


def undo_new_address(context: RequestContext, token: str) -> Reply:
    """Bring one's old address back, with the link that was mailed there when it was changed. It works once.

    All sessions and links of the account end, and its password no longer counts: a link to a new one is mailed to the
    old address. A second factor that was set up since is off.
    """
    read_body(Nothing)
    undo_address(context.application, token, context.network)
    return no_content()


RESET_ANNOUNCED = "If the address belongs to an account, a mail is on its way. Its link works for an hour."


def ask_for_password_reset(context: RequestContext) -> Reply:
    """Ask for a link that sets a new password. The answer is the same whether or not the address has an account."""
    body = read_body(ResetRequest)
    request_reset(context.application, body.email, context.network)
    return reply(as_json({"message": RESET_ANNOUNCED}), 202)


def set_new_password(context: RequestContext, token: str) -> Reply:
    """Set a new password with a mailed link. All sessions of the account and all its other links end."""
    body = read_body(NewPasswordRequest)
    reset_password(context.application, token, body.password, context.network)
    return no_content()


ROUTES = (
    Route(
        "POST",
        f"{API}/accounts",
        register_account,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Register",
        (ResponseSpec(202, "Whoever has the address gets a mail", MailAnnounced),),
        problems=("secret_found", "password_weak", "too_many_tries"),
        body=RegistrationRequest,
    ),
    Route(
        "POST",
        f"{API}/registrations/<token>",
        confirm_account,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Confirm a registration",
        (
            ResponseSpec(
                201, "The account; the session is in the cookies", SessionOpened, headers=("Location", "Set-Cookie")
            ),
        ),
        problems=("link_over", "wrong_credentials", "too_many_tries"),
        body=PasswordRequest,
    ),
    Route(
        "GET",
        ME,
        show_me,
        Who.PERSON,
        RouteKind.READ,
        "Read one's own account",
        (ResponseSpec(200, "The account", Account),),
        for_deleted=True,
    ),
    Route(
        "PATCH",
        ME,
        change_me,
        Who.PERSON,
        RouteKind.WRITE,
        "Change one's own account",
        (ResponseSpec(200, "The account as it is now", Account, headers=("Idempotency-Replayed",)),),
        problems=("secret_found", "wrong_password", "password_weak", "too_many_tries", "confirmation_required"),
        body=AccountChange,
        replay=lambda context, _location: show_me(context),
        fingerprint=_without_passwords,
    ),
    Route(
        "DELETE",
        ME,
        delete_me,
        Who.PERSON,
        RouteKind.WRITE,
        "Delete one's own account",
        (
            ResponseSpec(
                202, "The account, with until when it can be restored", Account, headers=("Idempotency-Replayed",)
            ),
        ),
        problems=("wrong_password", "too_many_tries", "sole_owner", "not_for_operators", "confirmation_required"),
        body=DeletionRequest,
        fingerprint=_without_password,
        replay=_show_me,
        for_deleted=True,
    ),
    Route(
        "POST",
        f"{ME}/restore",
        restore_me,
        Who.PERSON,
        RouteKind.WRITE,
        "Restore one's own account",
        (ResponseSpec(200, "The account", Account, headers=("Idempotency-Replayed",)),),
        problems=("not_restorable", "not_for_operators"),
        body=Nothing,
        body_required=False,
        replay=_show_me,
        for_deleted=True,
    ),
    Route(
        "POST",
        f"{API}/email-changes/<token>",
        confirm_new_address,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Confirm a new address",
        (ResponseSpec(204, "The address is the account's own now", media_types=()),),
        problems=(
            "link_over",
            "owner_needed",
            "wrong_password",
            "second_factor_needed",
            "wrong_code",
            "too_many_tries",
        ),
        body=AddressConfirmation,
        body_required=False,
    ),
    Route(
        "POST",
        f"{API}/email-changes/<token>/undo",
        undo_new_address,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Bring an old address back",
        (ResponseSpec(204, "The old address is the account's own again", media_types=()),),
        problems=("link_over", "address_in_use"),
        body=Nothing,
        body_required=False,
    ),
    Route(
        "POST",
        f"{API}/password-resets",
        ask_for_password_reset,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Ask for a password reset",
        (ResponseSpec(202, "Whoever has an account with the address gets a mail", MailAnnounced),),
        problems=("too_many_tries",),
        body=ResetRequest,
    ),
    Route(
        "POST",
        f"{API}/password-resets/<token>",
        set_new_password,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Reset a password",
        (ResponseSpec(204, "The password is set; sign in with it", media_types=()),),
        problems=("link_over", "password_weak", "too_many_tries"),
        body=NewPasswordRequest,
    ),
)
