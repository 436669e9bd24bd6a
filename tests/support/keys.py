"""An installation under other keys, and all that is sealed in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.operations.keys.data_keys import SEALED_IN_TENANT
from pigi.privacy.leads import SEALED_FOR
from pigi.store.billing import BillingLink
from pigi.store.keyring import Keyring
from pigi.store.tenants import Tenants

if TYPE_CHECKING:
    from pigi.application import Application


def under(application: Application, *keys: tuple[str, bytes]) -> Application:
    """The same installation after its processes were restarted with another keyring."""
    keyring = Keyring(keys)
    return replace(application, keyring=keyring, tenants=Tenants(application.settings, application.control, keyring))


def everything(application: Application, organisation: str) -> dict[tuple[str, ...], str]:
    """All that is sealed for the organisation, opened: by table, column and row."""
    found: dict[tuple[str, ...], str] = {}
    with application.tenants.read(organisation) as session:
        for column in SEALED_IN_TENANT:
            table = column.table
            for row in session.execute(select(*table.columns)).all():
                facts = row._mapping
                place = SEALED_FOR.get(table.name, "{id}").format(**facts)
                if facts[column.name] is not None:
                    opened = session.sealer.open(facts[column.name], table.name, column.name, place)
                    found[table.name, column.name, place] = opened
        with application.control.autocommit() as connection:
            for row in connection.execute(select(BillingLink.__table__)):
                found["link", row.id] = session.sealer.open(row.url, "billing_link", "url", row.id)
    return found
