"""The finished file of an export, and the signed links that lead to it.

A link is a bearer's: whoever has it may fetch this one file, of this one organisation or person, for an hour at most.
It says nothing that is not in the export, and no row holds it: the keyring tells whether it is right.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.exports import FILE_NAMES, LINK_PERIOD, MEDIA_TYPES, ExportState
from pigi.errors import Refused
from pigi.operations.access import ORGANISATION
from pigi.operations.exports.exports import object_name, read_export
from pigi.store.people import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.operations.exports.exports import ExportView, Owner

USE = "export link"
_UNSERVED = {
    ExportState.PREPARING: "export_not_ready",
    ExportState.FAILED: "export_failed",
    ExportState.EXPIRED: "export_expired",
}
_OPEN = (OrganisationState.ACTIVE.value, OrganisationState.DELETING.value)


@dataclass(frozen=True)
class LinkSignature:
    """What makes a link to a file good: until when, in seconds since 1970, and the keyring's word for it."""

    expires: int
    signature: str


@dataclass(frozen=True)
class ExportFile:
    """A file that is whole: read any stretch of it, in pieces, without holding anything meanwhile."""

    application: Application
    export: ExportView

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(part.size for part in self.export.parts)

    @property
    def sha256(self) -> str:
        """In hex."""
        return str(self.export.sha256)

    @property
    def name(self) -> str:
        """What a browser calls it when it is saved."""
        return FILE_NAMES[self.export.scope].format(day=self.export.created_at.date())

    @property
    def media_type(self) -> str:
        """Its Content-Type."""
        return MEDIA_TYPES[self.export.scope]

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes from ``start``; raises FilesAwayError, also when the file has been removed meanwhile."""
        offset = 0
        for number, part in enumerate(self.export.parts, start=1):
            first, last = max(start, offset), min(start + length, offset + part.size)
            if first < last:
                name = object_name(self.export.owner, self.export.id, number, part)
                yield from self.application.files.read(name, first - offset, last - first)
            offset += part.size

    def is_served(self) -> bool:
        """Whether it still may be: its owner and its period can end while a slow client reads."""
        try:
            open_file(self.application, self.export.owner, self.export.id)
        except Refused:
            return False
        return True


def open_file(application: Application, owner: Owner, export_id: str) -> ExportFile:
    """The file of the owner's export.

    Raises Refused: ``not_found``, also once the owner is closed for good; ``export_not_ready``, ``export_failed``,
        ``export_expired``.
    """
    export = read_export(application, owner, export_id)
    if not _is_open(application, owner):
        raise Refused("not_found")
    if export.state is not ExportState.READY:
        raise Refused(_UNSERVED[export.state])
    return ExportFile(application, export)


def sign_link(application: Application, export: ExportView) -> LinkSignature | None:
    """A link to the export's file, good for an hour and never longer than the file; None while there is no file."""
    if export.state is not ExportState.READY or export.expires_at is None:
        return None
    expires = int(min(now() + LINK_PERIOD, export.expires_at).timestamp())
    return LinkSignature(expires, application.keyring.token(USE, _signed(export.owner, export.id, expires)))


def is_signed(application: Application, owner: Owner, export_id: str, link: LinkSignature) -> bool:
    """Whether a link to this owner's export was signed by this installation, and holds still."""
    if link.expires <= now().timestamp():
        return False
    given = link.signature.encode()
    right = application.keyring.tokens(USE, _signed(owner, export_id, link.expires))
    # In constant time: it does not tell how much of a guess was right.
    return any(hmac.compare_digest(given, token.encode()) for token in right)


def _signed(owner: Owner, export_id: str, expires: int) -> str:
    return f"{owner.folder}/{export_id}/{expires}"


def _is_open(application: Application, owner: Owner) -> bool:
    query = (
        select(ORGANISATION.c.id).where(ORGANISATION.c.id == owner.id, ORGANISATION.c.state.in_(_OPEN))
        if owner.organisation_id
        else select(Account.id).where(Account.id == owner.id, Account.state == "active")
    )
    with application.control.autocommit() as connection:
        return connection.execute(query).first() is not None
