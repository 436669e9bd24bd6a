"""A path that says nothing about who may call it cannot be served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.application import Application
from pigi.domain.access import RULES, Action
from pigi.errors import Misconfigured
from tests.support.furnished import VARIABLE
from web import app as web_app
from web.app import ROUTES, create_app
from web.http import errors
from web.http.replies import API, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from tests.support.sqlite import SqliteStores


@pytest.fixture
def application(sqlite_stores: SqliteStores, tmp_path: Path) -> Iterator[Application]:
    opened = Application.open(sqlite_stores.fresh(tmp_path / "home"))
    yield opened
    opened.dispose()


def served(_visit: Any) -> Any:
    """A view."""
    return reply("{}")


def test_a_path_given_to_flask_itself_stops_the_start(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(app: Flask, page: Any) -> None:
        errors_install(app, page)
        app.add_url_rule("/quietly/added", "quietly", served)

    errors_install = errors.install
    monkeypatch.setattr(web_app.errors, "install", install)
    with pytest.raises(Misconfigured, match="/quietly/added: no route says who may call it"):
        create_app(application)


def test_a_route_cannot_be_made_without_saying_who() -> None:
    facts: dict[str, Any] = {
        "method": "GET",
        "path": "/undecided",
        "view": served,
        "kind": RouteKind.READ,
        "summary": "Undecided",
        "responses": (ResponseSpec(200, "Something"),),
    }
    with pytest.raises(TypeError, match="who"):
        Route(**facts)


@pytest.mark.parametrize("who", [None, "anyone", True])
def test_nor_with_a_decision_that_is_none(
    application: Application, monkeypatch: pytest.MonkeyPatch, who: object
) -> None:
    route = Route("GET", "/undecided", served, who, RouteKind.READ, "Undecided", (ResponseSpec(200, "Something"),))  # type: ignore[arg-type]
    monkeypatch.setattr(web_app, "ROUTES", (*ROUTES, route))
    with pytest.raises((Misconfigured, KeyError)):
        create_app(application)


def test_every_action_has_a_rule() -> None:
    assert set(RULES) == set(Action)


def test_a_route_of_an_organisation_says_where_to_find_which() -> None:
    """By its path, by its job, or by its query: the guard looks nowhere else."""
    lost = [
        route.path
        for route in ROUTES
        if isinstance(route.who, Action)
        and not {"organisation", "job"} & set(VARIABLE.findall(route.path))
        and "organisation" not in route.query
    ]
    assert lost == []


def test_a_path_with_an_organisation_is_guarded_as_one() -> None:
    """Whoever is signed in is not enough there; operators see the facts of every job (P19)."""
    lax = [
        route.path
        for route in ROUTES
        if {"organisation", "job"} & set(VARIABLE.findall(route.path))
        and not isinstance(route.who, Action)
        and route.who is not Who.OPERATOR
    ]
    assert lax == []


def test_no_route_of_the_api_changes_anything_by_get() -> None:
    assert [
        route.path for route in ROUTES if route.method == "GET" and route.kind not in {RouteKind.PAGE, RouteKind.READ}
    ] == []
    assert [route.path for route in ROUTES if route.method != "GET" and not route.path.startswith(API)] == []
