"""Searching names: what is found, in which order, and by whom."""

from __future__ import annotations

import pytest

from pigi.operations.configuration import (
    ResourceAddress,
    archive_project,
    archive_resource,
    create_project,
    create_resource,
    search,
    search_names,
)
from tests.support.contents import AGENT, DOCUMENT
from tests.support.factories import make_organisation
from tests.support.jobs import caller_of


@pytest.fixture
def caller(organisation):
    return caller_of(organisation)


def found(application, caller, text, **limit):
    return [(view.kind, view.name) for view in search_names(application, caller, text, **limit).found]


def test_names_of_projects_and_resources_are_found_the_best_first(application, caller):
    shop = create_project(application, caller, "Review board").id
    old = create_project(application, caller, "Old things").id
    for name in ("code-reviewer", "reviewer", "preview", "deployer"):
        create_resource(application, caller, shop, "agent", {**AGENT, "name": name})
    create_resource(application, caller, shop, "document", {**DOCUMENT, "title": "Réviewing rules"})
    gone = create_resource(application, caller, shop, "agent", {**AGENT, "name": "review"})
    archive_resource(application, caller, ResourceAddress(shop, "agent", gone.id))
    create_resource(application, caller, old, "agent", {**AGENT, "name": "review-notes"})
    archive_project(application, caller, old)

    assert found(application, caller, "review") == [
        ("document", "Réviewing rules"),
        ("agent", "reviewer"),
        ("project", "Review board"),
        ("agent", "code-reviewer"),
        ("agent", "preview"),
        ("agent", "review"),
        ("agent", "review-notes"),
    ]
    assert found(application, caller, "review rules") == [("document", "Réviewing rules")]
    # Words of a text are no names.
    assert found(application, caller, DOCUMENT["body"].split()[0]) == []
    assert found(application, caller, " ") == []


def test_more_is_said_when_not_everything_is_shown_or_looked_at(application, caller, monkeypatch):
    shop = create_project(application, caller, "Shop").id
    for number in range(3):
        create_resource(application, caller, shop, "agent", {**AGENT, "name": f"agent-{number}"})
    assert search_names(application, caller, "agent", 2).more
    assert not search_names(application, caller, "agent", 3).more
    monkeypatch.setattr(search, "LOOKED_AT", 2)
    assert search_names(application, caller, "agent").more


def test_another_organisations_names_are_not_found(application, caller, control, tenants):
    create_project(application, caller, "Shop")
    other = caller_of(make_organisation(control, tenants))
    assert found(application, other, "shop") == []
