"""What the WSGI server loads: ``web.wsgi:app``.

It is made when first asked for, in the process that will serve it, and once. Misconfiguration shows then,
before the first request.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Thread
from typing import TYPE_CHECKING

from pigi.application import Application
from pigi.domain.resources.secrets import warm
from pigi.logs import configure_logging
from pigi.store.egress import guard_egress
from pigi.store.log_entries import open_logbook
from web.app import create_app

if TYPE_CHECKING:
    from flask import Flask


@lru_cache(maxsize=1)
def _app() -> Flask:
    configure_logging()
    application = Application.open()
    open_logbook(application.settings.database_url, "web")
    guard_egress(application.settings)
    if application.settings.mode == "production":
        # Else whoever saves first would wait for the catalogue of secrets, half a second or more.
        Thread(target=warm, daemon=True).start()
    return create_app(application)


def __getattr__(name: str) -> Flask:
    if name == "app":
        return _app()
    raise AttributeError(name)
