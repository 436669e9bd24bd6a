"""Pages of the sign-in family. None of them uses a link up: that takes a form, which asks the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.addresses import email_key
from pigi.domain.passwords import SHORTEST
from pigi.operations.accounts import read_account
from pigi.operations.organisations import read_invitation
from web.http.routes import Who
from web.pages.shell.layout import draw
from web.pages.shell.query import local_path, one_of
from web.pages.shell.route import page

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply


def sign_in_page(context: RequestContext) -> Reply:
    """Sign in, then go on to where one wanted to go."""
    return draw(context, "people/sign-in.html", next=local_path(request.args.get("next", "")))


def register_page(context: RequestContext) -> Reply:
    """Make an account."""
    return draw(context, "people/register.html", password_length=SHORTEST)


def check_mail_page(context: RequestContext) -> Reply:
    """What is said to everybody who asked for a mail, known or not."""
    return draw(context, "people/check-your-mail.html", about=one_of("for", ("registration", "password")))


def welcome_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of a registration."""
    return draw(context, "people/welcome.html", token=token)


def forgot_password_page(context: RequestContext) -> Reply:
    """Ask for a link to a new password."""
    return draw(context, "people/forgot-password.html")


def reset_password_page(context: RequestContext, token: str) -> Reply:
    """The mailed link to a new password."""
    return draw(context, "people/reset-password.html", token=token, password_length=SHORTEST)


def confirm_address_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of a new address."""
    return draw(context, "people/confirm-address.html", token=token)


def invitation_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of an invitation."""
    offer = read_invitation(context.application, token)
    account = None if context.person is None else read_account(context.application, context.person.account_id)
    own = account is not None and email_key(account.email) == email_key(offer.email)
    return draw(context, "people/invitation.html", token=token, offer=offer, own=own, password_length=SHORTEST)


def account_page(context: AccountContext) -> Reply:
    """What Pigi knows of whoever is signed in."""
    account = read_account(context.application, context.account.account_id)
    return draw(context, "people/account.html", here="", account=account, password_length=SHORTEST)


ROUTES = (
    page("/sign-in", sign_in_page, Who.ANYONE),
    page("/register", register_page, Who.ANYONE),
    page("/check-your-mail", check_mail_page, Who.ANYONE),
    page("/welcome/<token>", welcome_page, Who.ANYONE),
    page("/forgot-password", forgot_password_page, Who.ANYONE),
    page("/reset-password/<token>", reset_password_page, Who.ANYONE),
    page("/confirm-address/<token>", confirm_address_page, Who.ANYONE),
    page("/invitations/<token>", invitation_page, Who.ANYONE),
    page("/account", account_page, Who.PERSON),
)
