"""The page of keys: what needs an old key, how far rotations are, and what is to be replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from pigi.jobs.model.transitions import JOB
from pigi.operations.audit import CLI
from pigi.operations.keys import KeyRegister, note_provider_keys, request_rotation
from pigi.store.control import DataKey
from pigi.store.keyring import Keyring
from pigi.store.tenants import Tenants
from tests.support.people import make_account, sign_in
from web.app import create_app

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


@pytest.fixture
def rotating(application, organisation):
    """The same installation with a new first key, and keys for a provider."""
    settings = application.settings.model_copy(update={"anthropic_api_key": "secret-one,secret-two"})
    keyring = Keyring([("new", b"n" * 32), ("test", b"k" * 32)])
    opened = replace(
        application, settings=settings, keyring=keyring, tenants=Tenants(settings, application.control, keyring)
    )
    yield opened
    opened.tenants.dispose()


def shown(application, path="/operate/keys"):
    operator = sign_in(create_app(application), application, make_account(application, operator=True))
    return " ".join(operator.get(path).get_data(as_text=True).split())


def test_operators_see_rotations_ages_and_what_is_to_be_replaced_and_no_key(rotating, organisation):
    assert "In order</span> No key is older" in shown(rotating)
    note_provider_keys(rotating)
    KeyRegister(rotating).refused("ANTHROPIC_API_KEY", "secret-one")
    request_rotation(rotating, CLI, organisation)
    values = {"state": "running", "progress_done": 400, "progress_total": 1234}
    with rotating.control.autocommit() as connection:
        connection.execute(update(JOB).where(JOB.c.organisation_id == organisation).values(values))
    page = shown(rotating)
    assert "1 key needs somebody to look after it" in page
    assert "rows and signatures need an older key" in page
    assert "400 of 1,234" in page
    assert page.count("ANTHROPIC_API_KEY") == 2
    assert "Refused</span>" in page
    assert "secret-" not in page
    assert '<span class="what">Keys to be replaced</span><span class="count is-ill">1</span>' in shown(
        rotating, "/operate"
    )
    with rotating.control.autocommit() as connection:
        connection.execute(update(DataKey).values(keyring_id="gone"))
    assert "Rows are under a key that is missing" in shown(rotating)
