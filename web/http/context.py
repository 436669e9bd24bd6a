"""What a view is given: who calls, on whose services, and what the log line will say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import request

from pigi.operations.access import AccessGrant
from pigi.operations.idempotency import StoredResponse
from web.http.kept import Kept
from web.http.replies import job_path, job_text
from web.http.transport import network_of

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Action, Caller, Key, Person
    from pigi.jobs.model.view import JobView
    from pigi.operations.idempotency import Reservation, ReservationHeartbeat
    from pigi.store.sessions import ControlSession
    from web.http.budget import Permits, Slots
    from web.http.uploads import UploadReceiver
    from web.http.watcher import Watcher

FACTS = "pigi.facts"
"""The key in the WSGI environment under which a request's `RequestFacts` travel."""


class RequestFacts:
    """What is logged of one request: identifiers and a route template, never content.

    ``uncounted`` says that whoever asks is to be in no statistic.
    """

    __slots__ = ("job_id", "organisation_id", "request_id", "route", "status", "uncounted")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.route = "-"
        self.status = 0
        self.organisation_id: str | None = None
        self.job_id: str | None = None
        self.uncounted = False


@dataclass(frozen=True)
class Services:
    """What all requests of a process share."""

    application: Application
    watcher: Watcher[str]
    grant_watcher: Watcher[AccessGrant]
    streams: Slots
    waits: Slots
    permits: Permits
    visits: Permits
    entries: Permits
    waiter_reads: Permits
    uploads: UploadReceiver
    repeats: Slots
    downloads: Slots
    heartbeat: ReservationHeartbeat
    kept: Kept = field(default_factory=Kept)

    def close(self) -> None:
        """End the threads that it started."""
        self.watcher.close()
        self.grant_watcher.close()
        self.heartbeat.close()


@dataclass
class Attempt:
    """A request with an Idempotency-Key, while its view is at work; ``decided`` once its answer is stored."""

    reservation: Reservation
    decided: bool = False

    def decide(self, session: ControlSession, response: StoredResponse) -> None:
        """`Reservation.decide`."""
        self.reservation.decide(session, response)
        self.decided = True


@dataclass(frozen=True)
class RequestContext:
    """A request by anyone; ``person`` is known when a browser that is signed in looks at what is open to all."""

    services: Services
    facts: RequestFacts
    person: Person | None = None
    attempt: Attempt | None = None

    def record_job(self, session: ControlSession, job: JobView) -> None:
        """Store that the request is answered with ``job``, in the transaction that accepts it."""
        if self.attempt is not None:
            self.attempt.decide(session, StoredResponse(202, job_path(job.id), job_text(job)))

    def record(self, session: ControlSession, location: str = "", status: int = 200) -> None:
        """Store how the request is answered, in the transaction of its act; nothing, if it has no Idempotency-Key.

        Raises Refused ``idempotency_undecided`` if another request took the key over: the act must roll back.
        """
        if self.attempt is not None:
            self.attempt.decide(session, StoredResponse(status, location, ""))

    def record_accepted(self, session: ControlSession) -> None:
        """`record` for what goes on after it is answered with 202."""
        self.record(session, status=202)

    def record_no_content(self, session: ControlSession) -> None:
        """`record` for what is answered with 204."""
        self.record(session, status=204)

    @property
    def application(self) -> Application:
        """What the process has opened."""
        return self.services.application

    @property
    def network(self) -> str:
        """Where the request comes from, for throttling alone."""
        return network_of(request.environ, self.application.settings.proxies)


@dataclass(frozen=True)
class AccountContext(RequestContext):
    """A request by a browser that is signed in."""

    @property
    def account(self) -> Person:
        """Who is signed in."""
        if self.person is None:
            message = "no view for accounts is given anybody else's request"
            raise TypeError(message)
        return self.person

    @property
    def requester(self) -> str:
        """Who asks, as rows name them."""
        return self.account.name


@dataclass(frozen=True, kw_only=True)
class KeyContext(RequestContext):
    """A request with an API key that is about no organisation but the key's own."""

    key: Key


@dataclass(frozen=True, kw_only=True)
class OrganisationContext(RequestContext):
    """A request in an organisation, by somebody who may; ``person`` is None when an API key asks.

    ``deletion`` says that it is about the organisation's deletion, and so about a job of Pigi's own; ``reading`` is
    what its job asks of whoever follows it, where that is not the usual.
    """

    caller: Caller
    deletion: bool = False
    reading: Action | None = None

    @property
    def requester(self) -> str:
        """Who asks, as rows name them."""
        return self.caller.name

    @property
    def grant(self) -> AccessGrant:
        """On what the caller's access rests."""
        session_id = self.person.session_id if self.person else None
        return AccessGrant(self.caller.organisation_id, session_id, self.caller.key_id, self.deletion, self.reading)
