"""The tenant databases: sessions, keys, and each database's life from its creation to its end."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.errors import Temporary
from pigi.store.control import DataKey
from pigi.store.engine_cache import EngineCache, OpenTenant
from pigi.store.engines import insert_into, is_locked, make_engine
from pigi.store.migrate import migrate_tenant, tenant_head
from pigi.store.provision import tenant_databases
from pigi.store.sealing import KEY_BYTES, Sealer
from pigi.store.sessions import TenantSession

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pigi.settings import Settings
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlDatabase, ControlSession

FIRST_VERSION = 1
POOL_SIZE = 1
MAX_OVERFLOW = 3
"""An organisation's own limit on connections from one process: 1 kept, 4 at most."""


class TenantMissingError(Temporary):
    """The organisation has no database or no data key: not made yet, or deleted."""

    def __init__(self) -> None:
        super().__init__("tenant_missing")


class Tenants:
    """All tenant databases. One an application; dispose it after a fork.

    Every method raises ValueError for whatever is not an identifier (`pigi.ids.is_id`): nothing else ever
    gets into an address or a file's name.
    """

    def __init__(self, settings: Settings, control: ControlDatabase, keyring: Keyring) -> None:
        self._control = control
        self._keyring = keyring
        self._databases = tenant_databases(settings)
        self._cache = EngineCache(settings.tenant_engines, self._open)

    def provision(self, organisation_id: str) -> str:
        """The organisation has a database at the newest revision after this; returns the revision.

        Safe to repeat, and safe when several processes do it together: an existing database keeps its rows.
        """
        return tenant_head() if self._databases.create(organisation_id) else self.migrate(organisation_id)

    def create_key(self, session: ControlSession, organisation_id: str) -> None:
        """Give the organisation, whose row must be in ``session`` or the database, its first data key."""
        session.flush()
        session.execute(insert(DataKey).values(self._new_key(organisation_id, FIRST_VERSION)))

    def renew_key(self, organisation_id: str) -> bool:
        """Give the organisation a newer data key, unless a renewal is under way: False if so, or if it has none.

        Other processes seal with it within `pigi.store.sealing.CURRENT_SECONDS`; what they seal opens everywhere.
        """
        with self._control.transaction() as connection:
            versions = connection.execute(
                select(DataKey.version).where(DataKey.organisation_id == organisation_id)
            ).scalars()
            found = list(versions)
            if len(found) != 1:
                return False
            # Of two at once, the primary key lets one in.
            made = insert_into(connection, DataKey.__table__).values(self._new_key(organisation_id, found[0] + 1))
            connection.execute(made.on_conflict_do_nothing())
        self.forget(organisation_id)
        return True

    def _new_key(self, organisation_id: str, version: int) -> dict[str, Any]:
        keyring_id, wrapped = self._keyring.wrap(organisation_id, os.urandom(KEY_BYTES))
        return {
            "organisation_id": organisation_id,
            "version": version,
            "wrapped": wrapped,
            "keyring_id": keyring_id,
            "created_at": now(),
        }

    @contextmanager
    def session(self, organisation_id: str) -> Iterator[TenantSession]:
        """A session whose transaction commits at the end of the block, or rolls back on an exception.

        Raises:
            TenantMissingError: no database or no data key.
            TenantsBusyError: too many tenants are in use in this process.
        """
        with (
            self._cache.use(organisation_id) as tenant,
            self._present(organisation_id, tenant.file),
            TenantSession(tenant.engine, organisation_id, tenant.sealer) as session,
            session.begin(),
        ):
            session.connection()
            yield session

    @contextmanager
    def read(self, organisation_id: str) -> Iterator[TenantSession]:
        """A session for reading: each statement sees the newest committed state and holds no lock.

        Raises as `session` does.
        """
        with (
            self._cache.use(organisation_id) as tenant,
            self._present(organisation_id, tenant.file),
            TenantSession(tenant.autocommit, organisation_id, tenant.sealer) as session,
        ):
            session.connection()
            yield session

    def migrate(self, organisation_id: str) -> str:
        """Bring the database to the newest revision and return its revision; raises TenantMissingError."""
        with self._present(organisation_id):
            return migrate_tenant(self._databases.url(organisation_id))

    def sizes(self, organisation_ids: Collection[str]) -> dict[str, int]:
        """How many bytes each organisation's database takes, of those that are there. None is opened."""
        return self._databases.sizes(organisation_ids)

    def drop(self, organisation_id: str) -> None:
        """Remove the database, cutting off whoever uses it. Safe to repeat. The data key is the caller's to destroy."""
        self._cache.forget(organisation_id)
        self._databases.drop(organisation_id)

    def forget(self, organisation_id: str) -> None:
        """Hold no connection and no key of the organisation any more; the next session fetches them anew."""
        self._cache.forget(organisation_id)

    def held(self) -> int:
        """How many organisations this process holds an engine of: never more than PIGI_TENANT_ENGINES."""
        return len(self._cache)

    def dispose(self, *, close: bool = True) -> None:
        """Forget all connections and keys; after a fork with ``close=False``, since the parent still uses them."""
        self._cache.dispose(close=close)

    def _open(self, organisation_id: str) -> OpenTenant:
        url = self._databases.url(organisation_id)
        keys = self._keys(organisation_id)
        if not keys:
            raise TenantMissingError
        sealer = Sealer(organisation_id, keys, max(keys), lambda: self._keys(organisation_id))
        engine = make_engine(url, pool_size=POOL_SIZE, max_overflow=MAX_OVERFLOW)
        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        return OpenTenant(engine, autocommit, sealer, self._databases.file(organisation_id))

    def _keys(self, organisation_id: str) -> dict[int, bytes]:
        columns = select(DataKey.version, DataKey.keyring_id, DataKey.wrapped)
        with self._control.autocommit() as connection:
            rows = connection.execute(columns.where(DataKey.organisation_id == organisation_id)).all()
        return {row.version: self._keyring.unwrap(organisation_id, row.keyring_id, row.wrapped) for row in rows}

    @contextmanager
    def _present(self, organisation_id: str, file: str | None = None) -> Iterator[None]:
        """Tell a missing database from one that is away; a pooled connection outlives the deletion of its ``file``."""
        try:
            # os.path takes 1 µs and Path 6, on every session.
            if file is not None and not os.path.exists(file):  # noqa: PTH110
                self._missing(organisation_id)
            yield
        except OperationalError as away:
            if is_locked(away):
                raise
            try:
                gone = not self._databases.exists(organisation_id)
            except OperationalError:
                raise away from None
            if gone:
                self._missing(organisation_id)
            raise

    def _missing(self, organisation_id: str) -> NoReturn:
        self._cache.forget(organisation_id)
        raise TenantMissingError from None
