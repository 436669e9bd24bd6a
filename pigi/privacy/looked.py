"""What the final search says of a place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Looked:
    """A place, how much was looked at there, and how much was found of what should be gone.

    Attributes:
        place: the store, as `pigi.privacy.inventory.Store` names it, and what of it: ``control.job``.
        looked_at: rows, objects, keys, names or bytes, whichever the place has.
        found: occurrences that must not be there.
        kept: occurrences that the inventory says are kept, for a reason and for their period.
        until: the last day on which something kept is there, as YYYY-MM-DD, where the search can tell.
    """

    place: str
    looked_at: int
    found: int
    kept: int = 0
    until: str | None = None
