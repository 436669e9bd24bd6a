"""The web process's application: routes from one module a noun, each behind its check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from pigi.operations.jobs import revisions
from web import budget, errors, generations, health, jobs, openapi, pages, problems
from web.auth import mount
from web.bodies import MOST_BYTES
from web.call import Services
from web.door import Door
from web.replies import Reply
from web.watcher import Watcher

if TYPE_CHECKING:
    from pigi.application import Application

ROUTES = (*pages.ROUTES, *health.ROUTES, *problems.ROUTES, *generations.ROUTES, *jobs.ROUTES)


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
        budget.Places(budget.STREAMS),
        budget.Places(budget.WAITS),
        budget.Turns(budget.ORDINARY),
        budget.Turns(budget.READERS),
    )
    app.extensions["pigi"] = services
    errors.install(app)
    document = openapi.build(ROUTES, application.settings.public_url)
    mount(app, services, (*ROUTES, openapi.route_of(document)))
    app.wsgi_app = Door(app.wsgi_app, production=application.settings.production)  # type: ignore[method-assign]
    return app
