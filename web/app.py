"""The web process's application: routes from one module a noun, each behind its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from pigi.operations.jobs import revisions
from pigi.operations.standing import still_standing
from web import (
    accepting,
    accounts,
    api_keys,
    audit,
    billing,
    budget,
    errors,
    generations,
    health,
    invitations,
    jobs,
    mails,
    me,
    members,
    openapi,
    organisations,
    pages,
    password_resets,
    problems,
    projects,
    resource_routes,
    session,
    webhooks,
)
from web.auth import mount
from web.bodies import MOST_BYTES
from web.call import Services
from web.door import Door
from web.replies import Reply
from web.streams import FOLLOWING, STANDING, STANDING_SECONDS
from web.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Collection

    from pigi.application import Application
    from pigi.operations.standing import Stand

ROUTES = (
    *pages.ROUTES,
    *health.ROUTES,
    *problems.ROUTES,
    *accounts.ROUTES,
    *session.ROUTES,
    *me.ROUTES,
    *password_resets.ROUTES,
    *organisations.ROUTES,
    *members.ROUTES,
    *mails.ROUTES,
    *invitations.ROUTES,
    *api_keys.ROUTES,
    *audit.ROUTES,
    *projects.ROUTES,
    *resource_routes.ROUTES,
    *generations.ROUTES,
    *accepting.ROUTES,
    *billing.ROUTES,
    *webhooks.ROUTES,
    *jobs.ROUTES,
)


def _unchanged(application: Application, stands: Collection[Stand]) -> dict[Stand, tuple[int, str]]:
    """Those on which a job may still be followed, all at the revision that `web.streams` watches for."""
    return dict.fromkeys(still_standing(application, stands, FOLLOWING), (STANDING, ""))


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
        Watcher(lambda stands: _unchanged(application, stands), STANDING_SECONDS),
        budget.Places(budget.STREAMS),
        budget.Places(budget.WAITS),
        budget.Turns(budget.ORDINARY),
        budget.Turns(budget.READERS),
    )
    app.extensions["pigi"] = services
    errors.install(app)
    document = openapi.build(ROUTES, application.settings.public_url)
    mount(app, services, (*ROUTES, openapi.route_of(document)))
    app.wsgi_app = Door(app.wsgi_app, application.settings)  # type: ignore[method-assign]
    return app
