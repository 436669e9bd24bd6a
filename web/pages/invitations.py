"""Page that a mailed invitation opens. It does not use the link up: that takes a form, which calls the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.addresses import email_key
from pigi.domain.passwords import SHORTEST
from pigi.operations.accounts import read_account
from pigi.operations.organisations import read_invitation
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply


def invitation_page(context: RequestContext, token: str) -> Reply:
    """The mailed link of an invitation."""
    offer = read_invitation(context.application, token)
    account = None if context.person is None else read_account(context.application, context.person.account_id)
    own = account is not None and email_key(account.email) == email_key(offer.email)
    return draw(context, "invitations/invitation.html", token=token, offer=offer, own=own, password_length=SHORTEST)


ROUTES = (page("/invitations/<token>", invitation_page, Who.ANYONE),)
