"""The web process's application: routes from one module a noun, each behind its check."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from flask import Flask

from pigi.operations.access import still_granted
from pigi.operations.idempotency import ReservationHeartbeat
from pigi.operations.jobs import revisions
from web import pages
from web.api import (
    access_exports,
    accounts,
    api_keys,
    audit,
    billing,
    contact,
    deletions,
    exports,
    generations,
    health,
    holds,
    imports,
    invitations,
    jobs,
    mails,
    members,
    operators,
    organisations,
    policy,
    privacy,
    privacy_requests,
    projects,
    promises,
    resources,
    rules,
    search,
    second_factors,
    sessions,
    storage,
    usage,
    whoami,
)
from web.http import budget, errors, openapi
from web.http.context import Services
from web.http.dispatch import mount
from web.http.middleware import Middleware
from web.http.packing import pack
from web.http.replies import Reply
from web.http.requests import MOST_BYTES
from web.http.serving import SERVING, Serving, intakes
from web.http.streams import FOLLOWING, GRANTED, GRANTED_SECONDS
from web.http.uploads import UploadReceiver
from web.http.watcher import Watcher
from web.pages import problems
from web.pages.shell.failures import failure_page

if TYPE_CHECKING:
    from collections.abc import Collection

    from pigi.application import Application
    from pigi.operations.access import AccessGrant

ROUTES = (
    *pages.ROUTES,
    *health.ROUTES,
    *holds.ROUTES,
    *policy.ROUTES,
    *privacy.ROUTES,
    *promises.ROUTES,
    *privacy_requests.ROUTES,
    *usage.ROUTES,
    *contact.ROUTES,
    *access_exports.ROUTES,
    *problems.ROUTES,
    *accounts.ROUTES,
    *sessions.ROUTES,
    *whoami.ROUTES,
    *second_factors.ROUTES,
    *operators.ROUTES,
    *organisations.ROUTES,
    *rules.ROUTES,
    *deletions.ROUTES,
    *members.ROUTES,
    *mails.ROUTES,
    *invitations.ROUTES,
    *api_keys.ROUTES,
    *audit.ROUTES,
    *projects.ROUTES,
    *search.ROUTES,
    *storage.ROUTES,
    *resources.ROUTES,
    *generations.ROUTES,
    *exports.ROUTES,
    *imports.ROUTES,
    *billing.ROUTES,
    *jobs.ROUTES,
)


def _unchanged(application: Application, grants: Collection[AccessGrant]) -> dict[AccessGrant, tuple[int, str]]:
    """Those on which a job may still be followed, all at the revision that `web.http.streams` watches for."""
    return dict.fromkeys(still_granted(application, grants, FOLLOWING), (GRANTED, ""))


@cache
def _document(server: str) -> tuple[bytes, bytes]:
    """The API document, made when it is first asked for, since that takes longer than all else at the start."""
    plain = openapi.build(ROUTES, server).encode()
    return plain, pack(plain)


def create_app(application: Application) -> Flask:
    """The WSGI application on ``application``, which the caller opens and disposes of.

    Starts no thread and opens no connection: that is left to the first request, after any fork.
    Raises Misconfigured if a path declares nobody who may call it.
    """
    app = Flask("web", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.url_map.merge_slashes = False
    app.response_class = Reply
    services = Services(
        application,
        Watcher(lambda ids: revisions(application, list(ids))),
        Watcher(lambda grants: _unchanged(application, grants), GRANTED_SECONDS),
        budget.Slots(budget.STREAMS, budget.STREAMS_OF_ONE),
        budget.Slots(budget.WAITS, budget.WAITS_OF_ONE),
        budget.Permits(budget.ORDINARY, budget.ORDINARY_OF_ONE),
        budget.Permits(budget.VISITS, budget.VISITS_OF_ONE),
        budget.Permits(budget.ENTRIES, budget.ENTRIES_OF_ONE),
        budget.Permits(budget.WAITER_READS, budget.WAITER_READS_OF_ONE),
        UploadReceiver(budget.UPLOADS, budget.UPLOADS_OF_ONE),
        budget.Slots(budget.REPEATS, budget.REPEATS_OF_ONE),
        budget.Slots(budget.DOWNLOADS, budget.DOWNLOADS_OF_ONE),
        ReservationHeartbeat(),
    )
    app.extensions["pigi"] = services
    errors.install(app, failure_page)
    document = partial(_document, application.settings.public_url)
    routes = (*ROUTES, openapi.route_of(document))
    mount(app, services, routes)
    app.extensions[SERVING] = Serving(application.settings.proxies, intakes(app.url_map, routes))
    app.wsgi_app = Middleware(app.wsgi_app, application.settings)  # type: ignore[method-assign]
    return app
