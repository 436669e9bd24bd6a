"""Usage statistics: which features are counted, and which counts say nothing of anybody (promise P11)."""

from __future__ import annotations

LEAST_ORGANISATIONS = 10
"""A feature that fewer organisations used on a day is left out of that day."""
MOST_BY_ONE = 2
"""So is one of which one organisation had more than one in so many uses: the count would tell about that one."""
ROUNDED_TO = 10

FEATURES: dict[str, str] = {
    "generation.asked": "Drafts asked for",
    "generation.accepted": "Drafts accepted",
    "generation.discarded": "Drafts discarded",
    "project.made": "Projects made",
    "agent.made": "Agents made",
    "agent.changed": "Agents changed",
    "mcp_server.made": "MCP servers made",
    "mcp_server.changed": "MCP servers changed",
    "document.made": "Documents made",
    "document.changed": "Documents changed",
    "settings.made": "Settings made",
    "settings.changed": "Settings changed",
    "history.read": "Histories read",
    "export.asked": "Exports asked for",
    "invitation.made": "Invitations made",
    "key.made": "API keys made",
    "audit.read": "Audit logs read",
    "job.cancelled": "Jobs cancelled",
    "job.retried": "Jobs retried",
}
"""What is counted, with what people are told that it is. The names are permanent."""


def rounded(count: int) -> int:
    """To the nearest ten, halves up."""
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def publishable(uses: int, organisations: int, most_by_one: int) -> int | None:
    """The count of a feature's uses on a day that may be kept; None if it is to be left out.

    Args:
        uses: how often it was used.
        organisations: how many organisations used it.
        most_by_one: how often the one did that used it most.
    """
    if organisations < LEAST_ORGANISATIONS or most_by_one * MOST_BY_ONE > uses:
        return None
    return rounded(uses)
