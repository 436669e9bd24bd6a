"""The text of a configuration export, written from front to back, with the place from which it can be gone on with."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pigi.domain.configuration_format import FORMAT, VERSION
from pigi.store.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pigi.operations.exports.pages import ProjectRow, ResourceRow, RevisionRow
    from pigi.operations.exports.place import Place

_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_KINDS = {"account": "person", "api-key": "key"}
"""What a pseudonym says of an author; all others are Pigi's own."""


class Document:
    """Hands the text on to ``add_bytes``, a page of revisions at a time. ``place`` moves along with it."""

    def __init__(self, add_bytes: Callable[[bytes], None], export_id: str, place: Place) -> None:
        """A document that stands at ``place``; a new one begins with `open`."""
        self._add_bytes, self._export_id, self.place = add_bytes, export_id, place
        self._pseudonyms: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._first_project = not place.project
        self._first_resource = False

    def open(self, organisation: Any) -> None:
        """Begin the document: ``organisation`` has ``name`` and ``created_at``."""
        owner = _as_json({"name": organisation.name, "created_at": to_text(organisation.created_at)})
        self._write(
            f'{{"format":"{FORMAT}","version":{VERSION},"exported_at":"{to_text(self.place.at)}",'
            f'"organisation":{owner},"projects":['
        )

    def open_project(self, project: ProjectRow) -> None:
        """Go on to this project; the one that stands open is ended, unless it is this."""
        if project.id == self.place.project:
            return
        self._close_project()
        facts = {"name": project.name, "description": project.description, "state": project.state}
        head = _as_json({**facts, "created_at": project.created_at})[:-1]
        self._write(f'{"" if self._first_project else ","}{head},"resources":[')
        self._first_project, self._first_resource = False, True
        self.place.project, self.place.kind, self.place.resource, self.place.number = project.id, "", "", 0

    def add(self, resources: Sequence[ResourceRow], revisions: dict[str, list[RevisionRow]]) -> None:
        """Add these resources of the open project with their revisions, or more revisions of the open resource."""
        for resource in resources:
            for revision in revisions.get(resource.id, ()):
                if resource.id != self.place.resource:
                    self._open_resource(resource)
                self._add_revision(revision)
        self._hand_on()

    def close(self) -> None:
        """End the document."""
        self._close_project()
        self._write('],"releases":[]}')
        self._hand_on()

    def _open_resource(self, resource: ResourceRow) -> None:
        self._close_resource()
        head = _as_json({"kind": resource.kind, "name": resource.name, "state": resource.state})[:-1]
        self._write(f'{"" if self._first_resource else ","}{head},"revisions":[')
        self._first_resource = False
        self.place.kind, self.place.resource, self.place.number = resource.kind, resource.id, 0

    def _add_revision(self, revision: RevisionRow) -> None:
        number, content, author, origin, created_at, examples = revision
        name = self._pseudonyms.get(author) or self._pseudonym(author)
        self._pieces += (
            b',{"number":%d,"content":' % number if self.place.number else b'{"number":%d,"content":' % number,
            content,
            f',"author":"{name}","origin":"{origin}","message":null,"created_at":"{created_at}"'.encode(),
            b',"examples":%b}' % _as_json(list(examples)).encode() if examples else b"}",
        )
        self.place.number = number
        self.place.done += 1

    def _close_resource(self) -> None:
        if self.place.resource:
            self._write("]}")

    def _close_project(self) -> None:
        self._close_resource()
        if self.place.project:
            self._write("]}")

    def _write(self, text: str) -> None:
        self._pieces.append(text.encode())

    def _hand_on(self) -> None:
        self._add_bytes(b"".join(self._pieces))
        self._pieces.clear()

    def _pseudonym(self, author: str) -> str:
        """The author's name in this document, by the order of appearance; no other document's tells the same."""
        digest = hashlib.sha256(f"{self._export_id} {author}".encode()).hexdigest()[:16]
        known = self.place.authors
        kind = _KINDS.get(author.partition(":")[0], "pigi")
        number = sum(name.startswith(f"{kind}-") for name in known.values()) + 1
        found = self._pseudonyms[author] = known.setdefault(digest, f"{kind}-{number}")
        return found
