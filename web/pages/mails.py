"""Page of the mail that was sent for an organisation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.mail import list_mails
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import paged

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def mails_page(context: OrganisationContext) -> Reply:
    """Mail sent for it, newest first."""
    pages = paged(partial(list_mails, context.application, context.caller), "id")
    return draw(context, "mails/list.html", here="mails", mails=pages.items, pages=pages)


ROUTES = (page(f"{OWN}/mails", mails_page, Action.MAIL_READ),)
