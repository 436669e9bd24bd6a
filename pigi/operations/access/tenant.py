"""Sessions on an organisation's database for operations: database errors as refusals, and locks among changes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError

from pigi.errors import Refused, Temporary
from pigi.store.engines import lacks_table, lock_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import TenantSession

NAME_KEY = "name_key"
"""Both engines say the name of the column or index in what they refuse, and no other constraint has it."""


@contextmanager
def changing(application: Application, caller: Caller) -> Iterator[TenantSession]:
    """The caller's organisation in one transaction, which commits at the end of the block.

    Raises:
        Refused: ``name_taken``, if the block gives something a name that is in use.
        Temporary: ``tenant_behind`` before the organisation's database was migrated, and as `Tenants.session`.
    """
    with _migrated(), _free_names(), application.tenants.session(caller.organisation_id) as session:
        yield session


@contextmanager
def reading(application: Application, caller: Caller) -> Iterator[TenantSession]:
    """The caller's organisation for reading: each statement sees what is committed. Raises Temporary as `changing`."""
    with _migrated(), application.tenants.read(caller.organisation_id) as session:
        yield session


@contextmanager
def _migrated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if lacks_table(error):
            raise Temporary("tenant_behind") from None
        raise


@contextmanager
def _free_names() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if NAME_KEY in str(error.orig):
            raise Refused("name_taken") from None
        raise


def serialise_changes(session: TenantSession, what: str) -> None:
    """Let the organisation's changes of this kind follow one another, so that a count stays true until the commit."""
    lock_name(session.connection(), f"pigi.{what}")
