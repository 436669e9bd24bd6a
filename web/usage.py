"""Which request is the use of which feature: only that it happened is noted, and for which organisation (P11)."""

from __future__ import annotations

from web.routes import API

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
    ("POST", f"{_OWN}/invitations"): "invitation.made",
    ("POST", f"{_OWN}/api-keys"): "key.made",
    ("GET", f"{_OWN}/audit"): "audit.read",
    ("POST", f"{API}/jobs/<job>/cancel"): "job.cancelled",
    ("POST", f"{API}/jobs/<job>/retry"): "job.retried",
}
"""By method and route; what is not here is no feature whose use is counted."""
