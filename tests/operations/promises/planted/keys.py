"""Violations of the controls of keys."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from pigi.clock import now
from pigi.ids import new_id
from pigi.store.control import DataKey
from pigi.store.keys import ProviderKey
from pigi.store.people import ApiKey
from tests.support.promises import rows


@contextmanager
def changed_key(world, **values):
    mine = DataKey.organisation_id == world.organisation
    with world.application.control.autocommit() as connection:
        columns = [getattr(DataKey, name) for name in values]
        before = connection.execute(select(*columns).where(mine)).one()._asdict()
        connection.execute(update(DataKey).where(mine).values(values))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(update(DataKey).where(mine).values(before))


def a_forgotten_data_key(world):
    return changed_key(world, created_at=now() - timedelta(days=380))


def a_key_taken_too_early(world):
    return changed_key(world, keyring_id="gone")


@contextmanager
def an_old_provider_key(world):
    line = {"fingerprint": "f" * 64, "setting": "STRIPE_API_KEY", "first_seen_at": now() - timedelta(days=366)}
    with world.application.control.autocommit() as connection:
        connection.execute(insert(ProviderKey).values(**line, last_seen_at=now()))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(ProviderKey).where(ProviderKey.fingerprint == "f" * 64))


def an_endless_api_key(world):
    moment = now()
    row = {"id": new_id(), "organisation_id": world.organisation, "label": "CI", "scopes": "", "secret_hash": b"x"}
    return rows(world, ApiKey, row | {"created_at": moment, "expires_at": moment + timedelta(days=366)})


PLANTED = {
    "api-keys-end": an_endless_api_key,
    "data-keys-renewed": a_forgotten_data_key,
    "provider-keys-renewed": an_old_provider_key,
    "no-row-under-a-removed-key": a_key_taken_too_early,
}
