"""The access export (GDPR article 15, P28): requesting one, and the job that writes it.

A zip of ``data.json``, its JSON Schema, and ``index.html`` for people. It is written in a stream and can be taken up
again after every part. An organisation whose database cannot be read now is named in the file, and keeps nothing else
from being written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Role
from pigi.domain.exports import ExportScope
from pigi.errors import Permanent
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.kinds import EXPORT_ACCESS
from pigi.operations.audit import record
from pigi.operations.contact import link_tickets
from pigi.operations.exports.access_page import draw_page
from pigi.operations.exports.access_schema import FORMAT, VERSION, schema
from pigi.operations.exports.archive import Archive, State
from pigi.operations.exports.exports import Owner, add_export
from pigi.operations.exports.oversight import deliver
from pigi.operations.exports.parts import PartWriter
from pigi.operations.exports.person import Page, Subject, organisations_of, read_control, read_tenant
from pigi.privacy.leads import CONTROL_LEADS, TENANT_LEADS, By
from pigi.store.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.jobs.model.view import JobView
    from pigi.store.sessions import ControlSession

NOTE = "writing"
PROBLEM = "Its database could not be read when this was made. Ask again later."
CONTROL_NAMES, TENANT_NAMES = tuple(CONTROL_LEADS), tuple(TENANT_LEADS)
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass
class Progress:
    """How far the archive is written.

    Attributes:
        organisations: those that the person belongs to or did something in, with their role.
        section: which of `Writer.sections` is being written.
        last: the key of its last row; empty at its beginning.
        counts: rows written, by section.
        unread: organisations that could not be read.
    """

    organisations: list[tuple[str, str | None]]
    section: int = 0
    last: list[Any] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    archive: State = field(default_factory=State)

    @classmethod
    def read(cls, cursor: str) -> Progress:
        """What an export's cursor says."""
        values = json.loads(cursor)
        values["organisations"] = [(one, role) for one, role in values["organisations"]]
        return cls(**{**values, "archive": State(**values["archive"])})


def request_access(
    application: Application,
    account_id: str,
    requested_by: str,
    on_queued: Callable[[ControlSession, JobView], None] | None = None,
) -> JobView:
    """Request a copy of what is held about a person. Raises Refused as `add_export`."""
    owner = Owner(account_id=account_id)
    with application.control.begin() as session:
        job = add_export(session, application, EXPORT_ACCESS, ExportScope.ACCESS, owner, requested_by)
        whose = f"account:{account_id}"
        record(session, application, "export.requested", requested_by, None, whose, export=job.subject_id)
        if on_queued is not None:
            on_queued(session, job)
    return job


def write_access(context: JobContext, application: Application) -> None:
    """Write the file of the job's export, from where an earlier attempt left it.

    Raises Permanent ``export_gone``, also if the account is gone; FilesAwayError while the files store is away or full.
    """
    with PartWriter(context, application) as file:
        if file.done:
            file.settle()
            return
        subject = Subject.of(application, file.export.owner.id)
        if subject is None:
            raise Permanent("export_gone")
        with application.control.autocommit() as connection:
            link_tickets(connection, application.keyring, subject.account_id, subject.values[By.ADDRESS][0])
        file.begin()
        Writer(context, application, file, subject).write()


class Writer:
    """Writes one archive."""

    def __init__(self, context: JobContext, application: Application, file: PartWriter, subject: Subject) -> None:
        self._context, self._application, self._file, self._subject = context, application, file, subject
        self._at: datetime = file.export.created_at
        self.progress = (
            Progress.read(file.cursor)
            if file.cursor
            else Progress([(one, role) for one, role in organisations_of(application, subject)])
        )
        self._archive = Archive(file.add, self.progress.archive, self._at)
        self._isolation = Isolation(EXPORT_ACCESS.name)
        # Those that an earlier attempt could not read count, too.
        self._isolation.skipped = len(self.progress.unread)

    def write(self) -> None:
        """From where it stands to the end."""
        if not self.progress.archive.entries:
            self._archive.open("data.json")
            self._text(self._head())
        sections = list(self.sections())
        while self.progress.section < len(sections):
            self._section(*sections[self.progress.section])
            self._context.progress(self.progress.section, len(sections) + 1, NOTE)
        self._text("]}")
        self._archive.close()
        page = draw_page(
            self._application, self._subject, self._at, self.progress.counts, self._readable(), self._isolation
        )
        for name, text in (("data.schema.json", json.dumps(schema(), indent=2)), ("index.html", page)):
            self._archive.open(name)
            self._text(text)
            self._archive.close()
        self._archive.finish()
        self._file.finish(lambda session: deliver(session, self._application, self._file.export))
        self._context.progress(1, 1, NOTE)

    def sections(self) -> Iterator[tuple[int | None, str]]:
        """What is written one after another: tables of the control database, then those of each organisation."""
        yield from ((None, name) for name in CONTROL_NAMES)
        yield from ((place, name) for place in range(len(self.progress.organisations)) for name in TENANT_NAMES)

    def _readable(self) -> list[tuple[str, Role | None]]:
        found = [(one, role) for one, role in self.progress.organisations if one not in self.progress.unread]
        return [(one, None if role is None else Role(role)) for one, role in found]

    def _head(self) -> str:
        person = {"id": self._subject.account_id, "name": self._subject.name, "email": self._subject.email}
        head = {"format": FORMAT, "version": VERSION, "exported_at": to_text(self._at), "person": person}
        return f'{_as_json(head)[:-1]},"records":{{'

    def _section(self, place: int | None, name: str) -> None:
        progress = self.progress
        if not progress.last:
            self._text(self._opening(place, name))
        for rows in self._rows(place, name):
            key = name if place is None else f"{progress.organisations[place][0]}.{name}"
            written = progress.counts.get(key, 0)
            self._text(("," if written else "") + ",".join(_as_json(row) for row in rows))
            progress.counts[key] = written + len(rows)
            if self._file.full:
                self._archive.flush()
                self._file.cut(json.dumps(asdict(progress)))
            self._context.checkpoint()
        self._text(self._closing(place, name))
        progress.section, progress.last = progress.section + 1, []

    def _rows(self, place: int | None, name: str) -> Iterator[Sequence[dict[str, Any]]]:
        """Pages of a section; none of what cannot be read. ``last`` has moved when one comes."""
        while True:
            page = self._page(place, name)
            if page is None or not page.rows:
                return
            self.progress.last = page.last
            yield page.rows
            if page.whole:
                return

    def _page(self, place: int | None, name: str) -> Page | None:
        if place is None:
            return read_control(self._application, self._subject, name, self.progress.last)
        organisation_id, role = self.progress.organisations[place]
        if organisation_id in self.progress.unread:
            return None
        found: list[Page] = []
        with self._isolation.of(organisation_id):
            organisation = (organisation_id, None if role is None else Role(role))
            found.append(read_tenant(self._application, self._subject, organisation, name, self.progress.last))
        if not found:
            self.progress.unread.append(organisation_id)
            return None
        return found[0]

    def _opening(self, place: int | None, name: str) -> str:
        """What comes before a section's rows."""
        if place is None:
            return f'{"" if name == CONTROL_NAMES[0] else ","}"{name}":['
        if name != TENANT_NAMES[0]:
            return f',"{name}":['
        organisation_id, role = self.progress.organisations[place]
        head = _as_json({"id": organisation_id, "role": role})[:-1]
        return f'{"," if place else ""}{head},"records":{{"{name}":['

    def _closing(self, place: int | None, name: str) -> str:
        """What comes after them."""
        if name not in {CONTROL_NAMES[-1], TENANT_NAMES[-1]}:
            return "]"
        if place is None:
            return ']},"organisations":['
        unread = self.progress.organisations[place][0] in self.progress.unread
        return f']}},"problem":{_as_json(PROBLEM) if unread else "null"}}}'

    def _text(self, text: str) -> None:
        self._archive.write(text.encode())
