"""What an organisation makes of its rules: it counts from the next saving on, and a refusal says who decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import Role
from tests.support.contents import SETTINGS
from tests.support.people import make_member, sign_in

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

ALLOWING = {**SETTINGS, "permissions": {**SETTINGS["permissions"], "allow": ["Bash(bash -c:*)", "Bash( * )"]}}


@pytest.fixture
def browser(app: Flask, application: Application, own: str) -> Client:
    """A browser in which an admin is signed in."""
    return sign_in(app, application, make_member(application, own, Role.ADMIN))


def test_an_organisation_decides_what_is_refused(browser: Client, own: str) -> None:
    rules = f"/api/v1/organisations/{own}/rules"
    path = browser.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}).json["links"]["settings"]
    kept = browser.post(path, json=ALLOWING)
    assert kept.status_code == 201
    levels = {found["rule"]: found["level"] for found in kept.json["findings"]}
    assert levels == {"runs-any-code": "warning", "allows-everything": "warning"}

    chosen = {"allows-everything": "refuse", "runs-any-code": "default"}
    told = browser.put(rules, json={"choices": chosen})
    assert (told.status_code, told.json["choices"]) == (200, {"allows-everything": "refuse"})
    assert browser.get(rules).json == told.json
    refused = browser.put(kept.json["links"]["self"], json=ALLOWING, headers={"If-Match": "*"})
    (flaw,) = refused.json["errors"]
    assert (refused.status_code, flaw["rule"], flaw["pointer"]) == (422, "allows-everything", "/permissions/allow/1")
    assert "owners and admins" in flaw["message"]
    shown = browser.get(kept.json["links"]["self"]).json["findings"]
    assert [found["level"] for found in shown if found["rule"] == "allows-everything"] == ["error"]


def test_what_is_no_rule_of_its_own_is_refused(browser: Client, own: str) -> None:
    rules = f"/api/v1/organisations/{own}/rules"
    for choice in ({"literal-secret": "warn"}, {"no-such-rule": "warn"}, {"runs-hooks": "perhaps"}):
        assert browser.put(rules, json={"choices": choice}).status_code == 422
    for name, pointer in (("no/such", "/choices/no~1such"), ("x" * 65, "/choices"), ("a\u202eb", "/choices")):
        (flaw,) = browser.put(rules, json={"choices": {name: "warn"}}).json["errors"]
        assert flaw == {"pointer": pointer, "message": "is no rule; GET lists them"}
    assert browser.get(rules).json["choices"] == {}
