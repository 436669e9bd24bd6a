"""Part heartbeats: a row for each part of Pigi that says when it last did its work. Silence is the alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from pigi.jobs.model.transitions import IS_RUNNING, JOB, NOW
from pigi.store.control import Heartbeat
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

HEARTBEAT: Any = Heartbeat.__table__


class Beat(NamedTuple):
    """When a part last did its work, and for which period."""

    at: datetime | None = None
    note: str | None = None


SILENCE: Final = Beat()


def record(connection: Connection, name: str, note: str | None = None) -> None:
    """Say that ``name`` did its work just now; ``note`` tells for which period."""
    statement = insert_into(connection, HEARTBEAT).values(name=name, at=NOW, note=note)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[HEARTBEAT.c.name], set_={"at": NOW, "note": note})
    )


def last_notes(connection: Connection) -> dict[str, str | None]:
    """The note that each left when it last did its work."""
    return {row.name: row.note for row in connection.execute(select(HEARTBEAT.c.name, HEARTBEAT.c.note))}


def queues_at_work(connection: Connection) -> set[str]:
    """The queues of which a job runs now, with a lease that its worker keeps."""
    leased = select(JOB.c.queue).where(IS_RUNNING, JOB.c.lease_until > NOW).distinct()
    return {row.queue for row in connection.execute(leased)}


def last_beats(connection: Connection) -> dict[str, Beat]:
    """When each last did its work, and the note that it left."""
    rows = connection.execute(select(HEARTBEAT.c.name, HEARTBEAT.c.at, HEARTBEAT.c.note))
    return {row.name: Beat(row.at, row.note) for row in rows}
