"""Violations of what parts tenants."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import delete, insert

from pigi.clock import now
from pigi.domain.access import Caller, Role
from pigi.ids import new_id
from pigi.operations.promises.canary import HOME, STRANGER, resident
from pigi.store.tenant import Project

PROJECT = Project.__table__


@contextmanager
def an_open_door(_world):
    def anybody(_application, principal, organisation_id, _action):
        return Caller(organisation_id, Role.OWNER, principal.account_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.http.auth.authorise", anybody)
        yield


@contextmanager
def a_row_astray(world):
    home, stranger = (resident(world.application, token) for token in (HOME, STRANGER))
    row = {"id": new_id(), "name": b"astray", "name_key": "astray", "description": b"", "state": "archived"}
    moments = {"revision": 1, "created_at": now(), "updated_at": now(), "created_by": stranger.caller.name}
    with world.application.tenants.session(home.organisation_id) as session:
        session.execute(insert(PROJECT).values(**row, **moments))
    try:
        yield
    finally:
        with world.application.tenants.session(home.organisation_id) as session:
            session.execute(delete(PROJECT).where(PROJECT.c.id == row["id"]))


PLANTED = {"strangers-refused": an_open_door, "databases-apart": a_row_astray}
