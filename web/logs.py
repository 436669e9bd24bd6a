"""What a request leaves in the three logs (`pigi.operations.notes`): a line, perhaps an error, perhaps a signal.

No line of a request goes to standard error: what is kept there has no period (P04). Errors do, since the error
log is in the database, and whoever mends a database that is away must see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations import notes
from web.usage import EVENTS

if TYPE_CHECKING:
    from web.call import Facts

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GOOD = range(200, 300)
PROBES = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by machines; a good answer is no news."""


def request_done(facts: Facts, method: str, milliseconds: float) -> None:
    """Note an answered request; for a stream, when it began."""
    if facts.route in PROBES and facts.status in GOOD:
        return
    notes.put(
        notes.request_line(
            request_id=facts.request_id,
            method=method if method in METHODS else "other",
            route=facts.route,
            status=facts.status,
            ms=milliseconds,
            organisation_id=facts.organisation_id,
            job_id=facts.job_id,
        )
    )
    event = EVENTS.get((method, facts.route))
    if event is not None and facts.organisation_id is not None and facts.status in GOOD:
        notes.put(notes.usage_line(event, facts.organisation_id))


def failure(facts: Facts, error: BaseException) -> None:
    """Note an exception: its class and the places in the code, never its words or values."""
    line = notes.failure_line(facts.route, error, request_id=facts.request_id, job_id=facts.job_id)
    notes.put(notes.told(line))
