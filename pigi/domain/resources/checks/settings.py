"""The rules of settings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pigi.domain.resources.checks.entries import check_entries
from pigi.domain.resources.risks.permissions import check_allowed, is_readable, reaches_outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.domain.resources.kinds import Permissions, Settings

    Broken = Iterator[tuple[str, str]]


def check_settings(settings: Settings) -> Broken:
    """Every rule that the settings break."""
    if not settings.description.strip():
        yield "no-description", "/description"
    yield from check_entries(settings.environment, "/environment")
    yield from _check_permissions(settings.permissions)
    for position, place in enumerate(settings.permissions.additional_directories):
        if reaches_outside(place):
            yield "reaches-outside", f"/permissions/additional_directories/{position}"


def _check_permissions(permissions: Permissions) -> Broken:
    lists = {"allow": permissions.allow, "ask": permissions.ask, "deny": permissions.deny}
    for name, written in lists.items():
        for position, rule in enumerate(written):
            if not is_readable(rule):
                yield "unreadable-rule", f"/permissions/{name}/{position}"
    for position, rule in enumerate(permissions.allow):
        yield from ((broken, f"/permissions/allow/{position}") for broken in check_allowed(rule))
    if permissions.default_mode == "bypass-permissions":
        yield "switches-off-approval", "/permissions/default_mode"
    counts = Counter(rule for written in lists.values() for rule in set(written))
    if any(count > 1 for count in counts.values()):
        yield "contradicts-itself", "/permissions"
    if not counts:
        yield "no-rules", "/permissions"
