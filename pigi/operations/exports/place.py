"""A place in a configuration export: how far it is written, and all that is needed to go on from there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pigi.store.instants import to_text


@dataclass
class Place:
    """How far a document is written: after one revision of a resource that is still open, as is its project.

    Attributes:
        at: the moment that the document shows.
        done: revisions written.
        authors: pseudonyms by a digest of the author, in the order in which they appeared.
    """

    at: datetime
    done: int = 0
    project: str = ""
    kind: str = ""
    resource: str = ""
    number: int = 0
    authors: dict[str, str] = field(default_factory=dict)

    def write(self) -> str:
        """The place as text, for `read`."""
        return json.dumps({**asdict(self), "at": to_text(self.at)})

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that `write` wrote."""
        values = json.loads(text)
        return cls(**{**values, "at": datetime.fromisoformat(values["at"])})
