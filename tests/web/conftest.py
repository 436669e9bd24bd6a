"""An application, a key and a client, on each engine; the broker is away, which no request may notice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pigi.application import Application
from pigi.domain.access import Action, Caller
from pigi.operations.access import authorise
from pigi.operations.api_keys import authenticate, issue_key
from tests.support.factories import make_organisation
from tests.support.http import bearer
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from pigi.settings import Settings


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    """An application on databases of its own."""
    opened = Application.open(settings)
    yield opened
    opened.dispose()


@pytest.fixture
def after(application: Application) -> Iterator[Callable[..., None]]:
    """Does something in so many seconds, beside the test; it is over before the databases go."""
    timers: list[threading.Timer] = []

    def start(seconds: float, act: Callable[..., object], *arguments: object) -> None:
        timers.append(threading.Timer(seconds, act, arguments))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()


@pytest.fixture
def own(application: Application) -> str:
    """The organisation that the client's key belongs to; its id."""
    return make_organisation(application.control, application.tenants)


@pytest.fixture
def key(application: Application, own: str) -> str:
    """An API key of that organisation."""
    return issue_key(application, own, "tests")


@pytest.fixture
def caller(application: Application, key: str, own: str) -> Caller:
    """Whoever holds that key."""
    return authorise(application, authenticate(application, key), own, Action.GENERATE)


@pytest.fixture
def app(application: Application) -> Iterator[Flask]:
    """The web application; its lines go nowhere, since no logbook is open."""
    made = create_app(application)
    yield made
    made.extensions["pigi"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without a key."""
    return app.test_client()


@pytest.fixture
def headers(key: str) -> dict[str, str]:
    """The headers of a request with that key."""
    return bearer(key)


@pytest.fixture
def asking(own: str) -> str:
    """Where that organisation asks for generations."""
    return f"/api/v1/organisations/{own}/generations"
