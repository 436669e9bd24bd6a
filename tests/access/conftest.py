"""One installation on each engine for all tests of access: two organisations with one of everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pigi.application import Application
from tests.access.callers import a_network
from tests.support.accounts import make_passwords_cheap
from tests.support.furnished import fill, furnish, usual
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from pigi.settings import Settings
    from tests.access.asks import Ask
    from tests.access.callers import Caller
    from tests.support.factories import Stores
    from tests.support.furnished import Furnished

IN_DETAIL = {"csrf_refused"}
"""Codes that share a status with a decision about access and are none."""


@dataclass(frozen=True)
class Installation:
    """The application under test, and two organisations that another one made on the same databases."""

    settings: Settings
    application: Application
    app: Flask
    home: Furnished
    away: Furnished

    def ask(self, caller: Caller, method: str, path: str, asked: Ask, home: Furnished | None = None) -> Any:
        """What the route answers ``caller``; things that ``asked`` does not name are those of ``home``."""
        values = {**usual(home or self.home, path), **asked.values}
        return caller.client.open(
            fill(path, values),
            method=method,
            json=asked.body,
            query_string=asked.query,
            headers={**caller.headers, **asked.headers},
            environ_overrides={"REMOTE_ADDR": a_network()},
        )


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The kind of database; the tests of one kind run together."""
    return str(request.param)


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Shared by all tests of an engine, so each uses up only what it made."""
    stores: Stores = request.getfixturevalue(f"{engine}_stores")
    settings = stores.fresh(tmp_path_factory.mktemp("access") / "home")
    maker, application = Application.open(settings), Application.open(settings)
    app = create_app(application)
    try:
        with pytest.MonkeyPatch.context() as patch:
            make_passwords_cheap(patch)
            home, away = furnish(maker), furnish(maker, "Ferry Company")
        yield Installation(settings, application, app, home, away)
    finally:
        app.extensions["pigi"].watcher.close()
        application.dispose()
        maker.dispose()
        stores.clean(settings)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every caller of every route has a password. For these tests alone: others of the same process may be about it."""
    make_passwords_cheap(monkeypatch)


def outcome(answer: Any, asked: Ask) -> str:
    """The answer as `expectations.txt` would call it."""
    code = answer.json.get("code", "") if answer.is_json or "problem+json" in answer.content_type else ""
    if answer.status_code in {401, 403, 404} and code not in IN_DETAIL:
        return str(answer.status_code)
    if answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in?"):
        return "in"
    if answer.status_code < 400 or code in asked.also:
        return "ok"
    return f"{answer.status_code} {code}"
