"""Recipients: who may be connected to, what they get and why, and how many connections of the last day went there."""

from __future__ import annotations

from pigi.operations.recipients.listing import RecipientLine, connections_since, list_recipients, refused_since

__all__ = ["RecipientLine", "connections_since", "list_recipients", "refused_since"]
