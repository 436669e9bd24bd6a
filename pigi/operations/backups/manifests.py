"""The manifest: what is in a backup, of which moments, with the hash of each file, signed by the installation.

Whoever has the public key for backups could make an archive that looks like one. The signature, by the keyring,
tells Pigi's own from such.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import rfc8785

from pigi.errors import Refused
from pigi.store.signing import is_signed

if TYPE_CHECKING:
    from pigi.store.keyring import Keyring

FORMAT = "pigi-backup"
VERSION = 1
USE = "backup"
"""What the signature is for."""
MANIFEST = "manifest.json"
CONTROL = "control.db"
FOLDER = "backups"
"""Where backups lie in their store."""
NAME = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f-]{36})\.tar\.age")
STAMP = "%Y%m%dT%H%M%SZ"

Engine = Literal["sqlite", "postgresql"]


@dataclass(frozen=True)
class Copy:
    """A database in a backup.

    Attributes:
        file: its name in the archive.
        organisation: whose it is; None for the control database.
        revision: of its schema.
        copied_at: its moment, as ISO 8601 in UTC.
    """

    file: str
    organisation: str | None
    revision: str
    copied_at: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in a backup.

    Attributes:
        pigi: the version that made it.
        begun_at: the moment of the first copy, from which its period counts.
        copies: the databases; the control database is the last.
        failed: the organisations whose database could not be copied.
        keys: the names of the keyring's keys without which it cannot be read; empty if an earlier version made it.
    """

    id: str
    pigi: str
    engine: str
    begun_at: str
    made_at: str
    copies: tuple[Copy, ...]
    failed: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def begun(self) -> datetime:
        """`begun_at` as a moment."""
        return datetime.fromisoformat(self.begun_at)

    @property
    def control(self) -> Copy:
        """The control database."""
        return next(copy for copy in self.copies if copy.organisation is None)

    @property
    def by_organisation(self) -> dict[str, Copy]:
        """The organisations' databases."""
        return {copy.organisation: copy for copy in self.copies if copy.organisation is not None}


def object_name(begun_at: datetime, backup_id: str) -> str:
    """What a backup is called; it tells its age also where no row does."""
    return f"{begun_at.astimezone(UTC).strftime(STAMP)}-{backup_id}.tar.age"


def parse_name(name: str) -> tuple[datetime, str] | None:
    """The moment and the id in a name that `object_name` made; None for any other."""
    found = NAME.fullmatch(name.rsplit("/", 1)[-1])
    return None if found is None else (datetime.strptime(found[1], STAMP).replace(tzinfo=UTC), found[2])


def encode(manifest: Manifest, keyring: Keyring) -> bytes:
    """The manifest with its signature, as JSON."""
    document = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    signature = keyring.signer.sign(USE, rfc8785.dumps(document))
    signed = {**document, "signature": {"key": keyring.signer.public_keys[0], "value": signature}}
    return json.dumps(signed, indent=1).encode()


def decode(data: bytes, keyring: Keyring) -> Manifest:
    """The manifest that `encode` wrote.

    Raises Refused: ``backup_damaged`` if it is none, ``backup_newer`` for a later form, ``backup_key_missing`` with the
    names of ``keys`` that the keyring lacks, ``backup_unsigned`` if no key of the keyring signed it.
    """
    try:
        document: dict[str, Any] = json.loads(data)
        signature = document.pop("signature")
        if document.pop("format") != FORMAT:
            raise Refused("backup_damaged")
        version = document.pop("version")
        if version != VERSION:
            raise Refused("backup_newer")
        # Before the signature: whoever lacks the key can check none, and shall be told which one to look for.
        if missing := [name for name in document.get("keys", ()) if name not in keyring.names]:
            raise Refused("backup_key_missing", keys=", ".join(missing))
        signed = rfc8785.dumps({"format": FORMAT, "version": version, **document})
        if not any(is_signed(key, USE, signed, signature["value"]) for key in keyring.signer.public_keys):
            raise Refused("backup_unsigned")
        manifest = Manifest(**document)
        copies = tuple(Copy(**copy) for copy in document["copies"])
        return replace(manifest, copies=copies, failed=tuple(manifest.failed), keys=tuple(manifest.keys))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("backup_damaged") from None
