"""Pages of accounts: registering, passwords, addresses. None uses a link up: that takes a form, which calls the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.exports import ExportState
from pigi.domain.passwords import SHORTEST
from pigi.domain.retention import GRACE, Retention, keep
from pigi.operations.accounts import list_failures, list_sessions, read_account
from pigi.operations.api_keys import keys_of_account
from pigi.operations.deletion import solely_owned
from pigi.operations.exports import Owner, jobs_of, list_exports
from pigi.operations.second_factors import read_second_factor
from web.http.routes import Who
from web.pages.shell.layout import draw, page
from web.pages.shell.query import one_of

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply


def register_page(context: RequestContext) -> Reply:
    """Make an account."""
    return draw(context, "accounts/register.html", password_length=SHORTEST)


def check_mail_page(context: RequestContext) -> Reply:
    """What everybody sees who requested a mail, known or not."""
    return draw(context, "accounts/check-your-mail.html", about=one_of("for", ("registration", "password")))


def welcome_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of a registration."""
    return draw(context, "accounts/welcome.html", token=token)


def forgot_password_page(context: RequestContext) -> Reply:
    """Ask for a link to a new password."""
    return draw(context, "accounts/forgot-password.html")


def reset_password_page(context: RequestContext, token: str) -> Reply:
    """The mailed link to a new password."""
    return draw(context, "accounts/reset-password.html", token=token, password_length=SHORTEST)


def confirm_address_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of a new address. Looking at it changes nothing; neither does a scanner of mails."""
    return draw(context, "accounts/confirm-address.html", token=token)


def undo_address_page(context: RequestContext, token: str) -> Reply:
    """The link that was mailed to an old address."""
    return draw(context, "accounts/undo-address.html", token=token, days=keep(Retention.ADDRESS_UNDO).days)


def account_page(context: AccountContext) -> Reply:
    """What Pigi knows of whoever is signed in."""
    account = read_account(context.application, context.account.account_id)
    sole = [(one, name, "") for one, name in solely_owned(context.application, context.account).items()]
    return draw(
        context,
        "accounts/account.html",
        here="",
        account=account,
        factor=read_second_factor(context.application, context.account),
        password_length=SHORTEST,
        sessions=list_sessions(context.application, context.account),
        failures=list_failures(context.application, context.account),
        sole=sole,
        keys=keys_of_account(context.application, context.account, [one for one, _name, _says in sole]),
        grace=GRACE.days,
    )


def own_exports_page(context: AccountContext) -> Reply:
    """Copies of what is held about whoever is signed in, and asking for one."""
    exports = list_exports(context.application, Owner(account_id=context.account.account_id))
    polls = any(export.state is ExportState.PREPARING for export in exports)
    jobs = jobs_of(context.application, exports)
    return draw(context, "accounts/exports.html", here="", exports=exports, jobs=jobs, polls=polls)


ROUTES = (
    page("/register", register_page, Who.ANYONE),
    page("/check-your-mail", check_mail_page, Who.ANYONE),
    page("/welcome/<token>", welcome_page, Who.ANYONE),
    page("/forgot-password", forgot_password_page, Who.ANYONE),
    page("/reset-password/<token>", reset_password_page, Who.ANYONE),
    page("/confirm-address/<token>", confirm_address_page, Who.ANYONE),
    page("/undo-address/<token>", undo_address_page, Who.ANYONE),
    page("/account", account_page, Who.PERSON, for_deleted=True),
    page("/account/exports", own_exports_page, Who.PERSON),
)
