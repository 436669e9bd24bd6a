"""Log entries of requests, and which request counts as the use of which feature.

Of a use only that it happened is noted, and for which organisation (P11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.store import log_entries
from web.http.replies import API

if TYPE_CHECKING:
    from web.http.context import RequestFacts

_OWN = f"{API}/organisations/<organisation>"
_PROJECT = f"{_OWN}/projects/<project>"
_COLLECTIONS = {"agents": "agent", "mcp-servers": "mcp_server", "documents": "document", "settings": "settings"}

EVENTS: dict[tuple[str, str], str] = {
    ("POST", f"{_OWN}/generations"): "generation.asked",
    ("POST", f"{_OWN}/generations/<generation>/accept"): "generation.accepted",
    ("POST", f"{_OWN}/generations/<generation>/discard"): "generation.discarded",
    ("POST", f"{_OWN}/projects"): "project.made",
    **{("POST", f"{_PROJECT}/{path}"): f"{noun}.made" for path, noun in _COLLECTIONS.items()},
    **{("PUT", f"{_PROJECT}/{path}/<resource>"): f"{noun}.changed" for path, noun in _COLLECTIONS.items()},
    **{("GET", f"{_PROJECT}/{path}/<resource>/revisions"): "history.read" for path in _COLLECTIONS},
    ("POST", f"{_OWN}/exports"): "export.asked",
    ("POST", f"{_OWN}/invitations"): "invitation.made",
    ("POST", f"{_OWN}/api-keys"): "key.made",
    ("GET", f"{_OWN}/audit"): "audit.read",
    ("POST", f"{API}/jobs/<job>/cancel"): "job.cancelled",
    ("POST", f"{API}/jobs/<job>/retry"): "job.retried",
}
"""By method and route; what is not here is no feature whose use is counted."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
GOOD = range(200, 300)
PROBES = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by machines; a good answer is no news."""


def request_done(facts: RequestFacts, method: str, milliseconds: float) -> None:
    """Note an answered request; for a stream, when it began."""
    if facts.route in PROBES and facts.status in GOOD:
        return
    log_entries.put(
        log_entries.request_entry(
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
    if event is None or facts.uncounted or facts.status not in GOOD:
        return
    if facts.organisation_id is not None:
        log_entries.put(log_entries.usage_entry(event, facts.organisation_id))


def failure(facts: RequestFacts, error: BaseException) -> None:
    """Note an exception: its class and the places in the code, never its words or values."""
    line = log_entries.failure_entry(facts.route, error, request_id=facts.request_id, job_id=facts.job_id)
    log_entries.put(log_entries.on_stderr(line))
