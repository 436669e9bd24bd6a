"""Pages of requests about one's data: a person's privacy centre, and the operators' register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.privacy_requests import Right
from pigi.domain.processing import Stop
from pigi.operations.accounts import read_account
from pigi.operations.organisations import organisations_of
from pigi.operations.privacy_requests import list_requests, standing_requests
from pigi.privacy.held import held_about_people
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply

RIGHTS = {
    Right.ACCESS: "A copy of your data",
    Right.CORRECTION: "Correction",
    Right.ERASURE: "Erasure",
    Right.PORTABILITY: "Data to take along",
    Right.RESTRICTION: "Restriction",
    Right.OBJECTION: "Objection",
}
STATES = {
    "open": ("Open", "busy"),
    "answered": ("Answered", "ok"),
    "refused": ("Not followed", "warn"),
    "withdrawn": ("Taken back", ""),
}
"""Each state: its word, and its badge's tone."""
SHOWN = 50


def privacy_page(context: AccountContext) -> Reply:
    """What is held about whoever is signed in, and what they can have done about it."""
    application, person = context.application, context.account
    requests = list_requests(application, person.account_id, limit=SHOWN)
    standing = standing_requests(application, person.account_id)
    return draw(
        context,
        "privacy/centre.html",
        here="",
        account=read_account(application, person.account_id),
        organisations=organisations_of(application, person),
        restricted=standing.get(Right.RESTRICTION) if Stop.RESTRICTION in person.stops else None,
        objected=standing.get(Right.OBJECTION) if Stop.OBJECTION_STATISTICS in person.stops else None,
        held=held_about_people(),
        requests=requests,
        rights=RIGHTS,
        states=STATES,
    )


def requests_page(context: AccountContext) -> Reply:
    """What people asked about their data, by when it is due, and answering it."""
    application = context.application
    return draw(
        context,
        "operators/requests.html",
        here="",
        waiting=list_requests(application, is_open=True),
        latest=list_requests(application, is_open=False, limit=SHOWN),
        today=now().date().isoformat(),
        rights=RIGHTS,
        states=STATES,
    )


ROUTES = (
    page("/privacy", privacy_page, Who.PERSON),
    page("/operate/requests", requests_page, Who.OPERATOR),
)
