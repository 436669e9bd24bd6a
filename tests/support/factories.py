"""Plain functions that make what tests need, with defaults for all that a test does not care about."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Protocol

from pigi.clock import now
from pigi.ids import new_id
from pigi.settings import Settings
from pigi.store.control import Organisation
from pigi.store.tenant import Generation

if TYPE_CHECKING:
    from pathlib import Path

    from pigi.store.sessions import ControlDatabase, TenantSession
    from pigi.store.tenants import Tenants

SECRET_KEYS = f"test:{base64.b64encode(b'k' * 32).decode()}"


class Stores(Protocol):
    """Databases for tests on one kind of engine: `tests.support.sqlite` and `tests.support.postgres`."""

    def bare(self, home: Path) -> Settings:
        """Settings whose databases do not exist yet."""
        ...

    def fresh(self, home: Path) -> Settings:
        """Settings with an empty control database at the newest revision."""
        ...

    def clean(self, settings: Settings) -> None:
        """Drop what was made for these settings."""
        ...


def make_settings(home: Path, database_url: str, tenant_database_url: str, **others: Any) -> Settings:
    """Settings of a development installation; the broker is a socket that does not exist, so it fails loudly."""
    chosen = {"secret_keys": SECRET_KEYS, "redis_url": f"unix://{home}/no-broker.sock", **others}
    return Settings(home=home, database_url=database_url, tenant_database_url=tenant_database_url, **chosen)


def make_organisation(control: ControlDatabase, tenants: Tenants, name: str = "Test organisation") -> str:
    """An active organisation with its key and its database; returns its id."""
    organisation_id = new_id()
    revision = tenants.provision(organisation_id)
    with control.begin() as session:
        session.add(Organisation(id=organisation_id, name=name, schema_revision=revision, created_at=now()))
        tenants.create_key(session, organisation_id)
    return organisation_id


def add_generation(session: TenantSession, name: str = "reviewer", purpose: str = "Reviews changes.") -> str:
    """A generation with its name and purpose sealed, as a request leaves it; returns its id."""
    generation_id = new_id()
    seal = session.sealer.seal
    session.add(
        Generation(
            id=generation_id,
            job_id=new_id(),
            resource="agent",
            name=seal(name, "generation", "name", generation_id),
            purpose=seal(purpose, "generation", "purpose", generation_id),
            created_at=now(),
        )
    )
    return generation_id
