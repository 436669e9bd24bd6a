"""The erasure log: that something with this identifier was deleted for good, so that no backup brings it back (P26).

An entry is the hash of an identifier that was random, so it leads to nobody. It lies beside what it protects
against, outside every database and every backup: in the store of backups, and in the files store.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from pigi.store.objects import Objects

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.settings import Settings

FOLDER = "erasures"


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

    def digests(self) -> set[str]:
        """Every entry; `digest` tells whether an identifier is among them."""
        return {found.name.rsplit("/", 1)[-1] for store in self._stores for found in store.find(FOLDER)}

    def oldest(self) -> date | None:
        """The day of the oldest entry; None when there is none."""
        return min((_day(found.name) for store in self._stores for found in store.find(FOLDER)), default=None)

    def forget(self, before: date) -> int:
        """Remove entries of days before this one; returns how many."""
        return sum(
            store.remove(folder)
            for store in self._stores
            for folder in {found.name.rsplit("/", 1)[0] for found in store.find(FOLDER)}
            if _day(f"{folder}/") < before
        )


def digest(scope: str, identifier: str) -> str:
    """What the log holds of an identifier."""
    return hashlib.sha256(f"pigi erasure {scope} {identifier}".encode()).hexdigest()


def _day(name: str) -> date:
    """The day that the name of an entry says."""
    return date.fromisoformat(name.split("/")[-2])
