"""Receipts: the signed document that is left of a deletion, which names nobody and can be checked without Pigi."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from pigi.clock import now
from pigi.domain.deletions import RECEIPT_FORMAT, Place, StepState
from pigi.domain.retention import PERIODS, Retention, financial_year_end, keep
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.deletion.records import row_of, steps_of
from pigi.store.deletions import Receipt
from pigi.store.records import Backup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.operations.deletion.records import StepView
    from pigi.privacy.search import Looked

VERSION = 1
RECEIPT: Any = Receipt.__table__


def issue_receipt(
    connection: Connection,
    application: Application,
    deletion_id: str,
    places: Mapping[str, Place],
    looked: Iterable[Looked],
) -> None:
    """Sign the receipt of a deletion and store it, in the transaction that makes the deletion final.

    ``places`` says of each step where it removed; ``looked`` is what the final search did.
    """
    row, steps, moment = row_of(connection, deletion_id), steps_of(connection, deletion_id), now()
    removed = [step for step in steps if step.name in places]
    purged_at = max((step.done_at for step in removed if step.done_at is not None), default=moment)
    document = {
        "format": RECEIPT_FORMAT,
        "version": VERSION,
        "id": row.receipt_id,
        "scope": row.scope,
        "requested_at": _text(row.requested_at),
        "sealed_at": _text(row.sealed_at),
        "purged_at": _text(purged_at),
        "searched_at": _text(moment),
        "counts": _counts(connection, removed, places, row.requested_at),
        "steps": [_step(step, places[step.name]) for step in removed],
        "kept": _kept(purged_at),
        "search": [vars(one) for one in looked],
    }
    signed = json.dumps(application.keyring.signer.sign_document(document), indent=2)
    connection.execute(insert(RECEIPT).values(id=row.receipt_id, document=signed, created_at=moment))


def read_receipt(application: Application, receipt_id: str) -> str:
    """The receipt as JSON text, as it was signed; raises Refused ``not_found``, also until the deletion is final."""
    if not is_id(receipt_id):
        raise Refused("not_found")
    with application.control.autocommit() as connection:
        document: str | None = connection.execute(select(RECEIPT.c.document).where(RECEIPT.c.id == receipt_id)).scalar()
    if document is None:
        raise Refused("not_found")
    return document


def _counts(
    connection: Connection, steps: Sequence[StepView], places: Mapping[str, Place], since: datetime
) -> dict[str, int]:
    """What was removed where. Of backups those that were removed as they came of age since the request."""
    counts = dict.fromkeys(Place, 0)
    for step in steps:
        counts[places[step.name]] += step.count
    gone = select(func.count()).select_from(Backup).where(Backup.removed_at >= since)
    counts[Place.BACKUPS] = connection.execute(gone).scalar_one()
    return {place.value: count for place, count in counts.items()}


def _step(step: StepView, place: Place) -> dict[str, Any]:
    done_at = None if step.state is not StepState.DONE or step.done_at is None else _text(step.done_at)
    return {"name": step.name, "place": place.value, "count": step.count, "done_at": done_at}


def _kept(purged_at: datetime) -> list[dict[str, str]]:
    """What stays, why, and until which day."""
    year_end, billing_log = financial_year_end(purged_at), PERIODS[Retention.BILLING_LOG]
    return [
        {
            "what": "billing_log",
            "reason": billing_log.reason,
            "until": year_end.replace(year=year_end.year + billing_log.years).isoformat(),
        },
        {
            "what": "backups",
            "reason": PERIODS[Retention.BACKUP].reason,
            "until": (purged_at + keep(Retention.BACKUP)).date().isoformat(),
        },
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
