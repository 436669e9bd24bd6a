"""The page of the promises: how each stands, and what that rests on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.controls import State
from pigi.operations.policy import policy_history
from pigi.operations.promises import list_attestations, promises_standing
from web.http.routes import Who
from web.pages.shell.layout import draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply

PROPOSED = timedelta(days=180)
"""For how long a form proposes that somebody answers for something."""
WORDS = {
    "holding": ("Holding", "ok"),
    "failing": ("Failing", "ill"),
    "stale": ("Stale", "warn"),
    "attested": ("Attested", "key"),
}
"""Each state: its word, and the badge that shows it."""
KINDS = {
    "static": "read from this release",
    "synthetic": "tried out",
    "observed": "looked at here",
    "attested": "somebody answers for it",
}
"""How a control's probe comes to know, in words."""


def promises_page(context: RequestContext) -> Reply:
    """How every promise stands, with the evidence."""
    standings = promises_standing(context.application)
    counts = Counter(standing.state.value for standing in standings)
    return draw(
        context,
        "promises/promises.html",
        standings=standings,
        policy=policy_history(context.application).current,
        counts=[(state, counts[state]) for state in WORDS if counts[state]],
        words=WORDS,
        kinds=KINDS,
        moment_of=now(),
    )


def operate_promises_page(context: AccountContext) -> Reply:
    """Which lines need somebody, and what operators answer for."""
    application = context.application
    return draw(
        context,
        "operators/promises.html",
        here="",
        wrong=[
            (standing, own)
            for standing in promises_standing(application)
            for own in standing.controls
            if own.state in {State.FAILING, State.STALE}
        ],
        attestations=list_attestations(application),
        words=WORDS,
        proposed=(now() + PROPOSED).date(),
    )


ROUTES = (
    page("/promises", promises_page, Who.ANYONE),
    page("/operate/promises", operate_promises_page, Who.OPERATOR),
)
