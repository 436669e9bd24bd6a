"""What an organisation makes of the rules for its resources: needed wherever a resource is checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.domain.resources.rules import chosen
from pigi.operations.access.grants import ORGANISATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from pigi.domain.resources.rules import Choice
    from pigi.store.sessions import ControlDatabase


def choices_of(control: ControlDatabase, organisation_id: str) -> Mapping[str, Choice]:
    """The rules about which the organisation chose, with what it chose; empty if it is gone."""
    with control.autocommit() as connection:
        return choices_in(connection, organisation_id)


def choices_in(connection: Connection, organisation_id: str) -> dict[str, Choice]:
    """`choices_of`, as the connection's transaction sees it."""
    kept = connection.execute(select(ORGANISATION.c.rules).where(ORGANISATION.c.id == organisation_id)).scalar()
    return chosen(json.loads(kept)) if kept else {}
