"""The page of keys for operators: rotations, what needs an old key, how old every key is, and what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.keys import DATA_KEY_AGE, KEPT_EMPTY, PROVIDER_KEY_AGE, WAITING, WARNED_BEFORE
from pigi.jobs.kinds import ROTATE_DATA_KEY, ROTATE_KEYRING
from pigi.operations.jobs import list_jobs
from pigi.operations.keys import report_keys
from pigi.operations.organisations import names_of
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext
    from web.http.replies import Reply

MOST = 25
"""How many rotations of data keys are shown; their number is said beside them."""
PLACES = {"first": ("First", "ok"), "older": ("Older", ""), "missing": ("Missing", "ill")}
"""Where a key is in the keyring: its word, and the badge that shows it."""
STATES = {
    "ok": ("In order", "ok"),
    "due_soon": ("Due soon", "warn"),
    "due": ("Due", "ill"),
    "refused": ("Refused", "ill"),
}
"""How a provider's key is: its word, and the badge that shows it."""


def keys_page(context: AccountContext) -> Reply:
    """All keys. What is left in organisations' databases is told by their jobs, without opening any."""
    application = context.application
    found = report_keys(application, counted=False)
    shown = found.rotations[:MOST]
    jobs = list_jobs(application, None, kind=ROTATE_DATA_KEY.name, limit=4 * MOST)
    return draw(
        context,
        "operators/keys.html",
        here="",
        keys=found,
        shown=shown,
        names=names_of(application, [one.organisation_id for one in shown]),
        # The newest first, so that the latest of each organisation is the one that stays.
        jobs={job.organisation_id: job for job in reversed(jobs)},
        last=next(iter(list_jobs(application, None, kind=ROTATE_KEYRING.name, limit=1)), None),
        places=PLACES,
        states=STATES,
        waiting=WAITING,
        days={"data": DATA_KEY_AGE.days, "provider": PROVIDER_KEY_AGE.days, "warned": WARNED_BEFORE.days},
        kept_hours=round(KEPT_EMPTY.total_seconds() / 3600),
    )


ROUTES = (page("/operate/keys", keys_page, Who.OPERATOR),)
