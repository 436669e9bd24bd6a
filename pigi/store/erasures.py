"""The erasure log: that something with this identifier was deleted for good, so that no backup brings it back (P26).

An entry is the hash of an identifier that was random, so it leads to nobody. It lies beside what it protects
against, outside every database and every backup: in the store of backups, and in the files store.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from pigi.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings

FOLDER = "erasures"
OPEN = f"{FOLDER}/open.json"
"""Which deletions are in their grace: a backup that is restored may know of fewer, or of some that were undone."""


@dataclass(frozen=True)
class OpenDeletions:
    """The deletions in their grace as of ``at``: when each was requested, by `digest`."""

    at: datetime
    requested: dict[str, datetime]


class ErasureLog:
    """The entries of one installation; each method raises FilesAwayError when a store cannot be asked."""

    def __init__(self, stores: list[Objects]) -> None:
        self._stores = stores

    @classmethod
    def from_settings(cls, settings: Settings) -> ErasureLog:
        """The log of this installation, kept in every store that it has."""
        return cls([Objects(url) for url in dict.fromkeys((settings.backups_url, settings.files_url))])

    def add(self, scope: str, identifier: str, moment: datetime) -> None:
        """Note that the organisation or account (``scope``) with this identifier is deleted. Repeatable."""
        for store in self._stores:
            store.put(f"{FOLDER}/{moment.date()}/{digest(scope, identifier)}", b"")

    def note_open(self, found: OpenDeletions) -> None:
        """Note which deletions are in their grace, in place of what was noted before."""
        moments = {entry: moment.isoformat() for entry, moment in found.requested.items()}
        for store in self._stores:
            store.put(OPEN, json.dumps({"at": found.at.isoformat(), "requested": moments}).encode())

    def open_deletions(self) -> OpenDeletions | None:
        """What was noted last; None if nothing ever was."""
        notes = [json.loads(data) for store in self._stores if (data := store.get(OPEN)) is not None]
        if not notes:
            return None
        newest = max(notes, key=lambda note: datetime.fromisoformat(note["at"]))
        requested = {entry: datetime.fromisoformat(moment) for entry, moment in newest["requested"].items()}
        return OpenDeletions(datetime.fromisoformat(newest["at"]), requested)

    def digests(self) -> set[str]:
        """Every entry; `digest` tells whether an identifier is among them."""
        return {name.rsplit("/", 1)[-1] for store in self._stores for name in _entries(store)}

    def oldest(self) -> date | None:
        """The day of the oldest entry; None when there is none."""
        return min((_day(name) for store in self._stores for name in _entries(store)), default=None)

    def forget(self, before: date) -> int:
        """Remove entries of days before this one; returns how many."""
        return sum(
            store.remove(folder)
            for store in self._stores
            for folder in {name.rsplit("/", 1)[0] for name in _entries(store)}
            if _day(f"{folder}/") < before
        )


def _entries(store: Objects) -> Iterator[str]:
    return (found.name for found in store.find(FOLDER) if found.name != OPEN)


def digest(scope: str, identifier: str) -> str:
    """What the log holds of an identifier."""
    return hashlib.sha256(f"pigi erasure {scope} {identifier}".encode()).hexdigest()


def _day(name: str) -> date:
    """The day that the name of an entry says."""
    return date.fromisoformat(name.split("/")[-2])
