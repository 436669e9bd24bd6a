"""What a view is given: who calls, on whose services, and what the log line will say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.api_keys import Caller
    from web.budget import Places, Turns
    from web.watcher import Watcher

FACTS = "pigi.facts"
"""The key in the WSGI environment under which a request's `Facts` travel."""


class Facts:
    """What is logged of one request: identifiers and a route template, never content."""

    __slots__ = ("error", "job_id", "organisation_id", "request_id", "route", "status")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.route = "-"
        self.status = 0
        self.organisation_id: str | None = None
        self.job_id: str | None = None
        self.error: str | None = None


@dataclass(frozen=True)
class Services:
    """What all requests of a process share."""

    application: Application
    watcher: Watcher
    streams: Places
    waits: Places
    turns: Turns
    readers: Turns


@dataclass(frozen=True)
class Visit:
    """A request by anyone."""

    services: Services
    facts: Facts

    @property
    def application(self) -> Application:
        """The house behind the door."""
        return self.services.application


@dataclass(frozen=True)
class Call(Visit):
    """A request by somebody known."""

    caller: Caller
