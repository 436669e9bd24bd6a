"""Which request is the use of which feature: only that it happened is noted, and for which organisation (P11)."""

from __future__ import annotations

from web.routes import API

_ORGANISATION = f"{API}/organisations/<organisation>"

EVENTS: dict[tuple[str, str], str] = {
    ("POST", f"{_ORGANISATION}/generations"): "generation.asked",
}
"""By method and route; what is not here is no feature whose use is counted."""
